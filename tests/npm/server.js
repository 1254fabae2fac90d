// A server of dcmjs-dimse's: `node server.js PORT [CALLED [CALLER]]` takes those titles only, where they are given.
// It is loaded from the folder that NODE_PATH names.
const { Server, Scp, constants, responses } = require("dcmjs-dimse");

const [port, called, caller] = process.argv.slice(2);
const { PresentationContextResult, RejectReason, RejectResult, RejectSource, SopClass, Status } = constants;

class Verifying extends Scp {
  associationRequested(association) {
    const reject = (reason) =>
      this.sendAssociationReject(RejectResult.Permanent, RejectSource.ServiceUser, reason);
    if (called && association.getCalledAeTitle() !== called) return reject(RejectReason.CalledAeNotRecognized);
    if (caller && association.getCallingAeTitle() !== caller) return reject(RejectReason.CallingAeNotRecognized);
    for (const { id } of association.getPresentationContexts()) {
      const context = association.getPresentationContext(id);
      const known = context.getAbstractSyntaxUid() === SopClass.Verification;
      context.setResult(
        known ? PresentationContextResult.Accept : PresentationContextResult.RejectAbstractSyntaxNotSupported,
        context.getTransferSyntaxUids()[0],
      );
    }
    this.sendAssociationAccept();
  }

  cEchoRequest(request, callback) {
    const response = responses.CEchoResponse.fromRequest(request);
    response.setStatus(Status.Success);
    callback(response);
  }

  associationReleaseRequested() {
    this.sendAssociationReleaseResponse();
  }
}

const server = new Server(Verifying);
server.on("networkError", () => {});
server.listen(Number(port));
