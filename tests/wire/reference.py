"""A slow and naive PDU reader, written only from the tables of PS3.8 §9.3, as a reference for the decoder.

It shares no code with the program. It reads field after field as the tables list them and raises `Unsound` where a
length does not fit; its output is plain JSON values.
"""

from typing import Any

Row = dict[str, Any]

NAMES = {
    1: "A-ASSOCIATE-RQ",
    2: "A-ASSOCIATE-AC",
    3: "A-ASSOCIATE-RJ",
    4: "P-DATA-TF",
    5: "A-RELEASE-RQ",
    6: "A-RELEASE-RP",
    7: "A-ABORT",
}


class Unsound(Exception):
    """The bytes do not follow the tables."""


class Cursor:
    """Bytes that are consumed from the front."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def bytes(self, count: int) -> bytes:
        if count > len(self.data):
            raise Unsound(f"{count} bytes wanted, {len(self.data)} left")
        taken, self.data = self.data[:count], self.data[count:]
        return taken

    def number(self, count: int) -> int:
        """A big-endian integer."""
        total = 0
        for byte in self.bytes(count):
            total = total * 256 + byte
        return total

    def little(self, count: int) -> int:
        """A little-endian integer."""
        return Cursor(self.bytes(count)[::-1]).number(count)

    def counted(self, size: int) -> "Cursor":
        """A field after its length, which has `size` bytes."""
        return Cursor(self.bytes(self.number(size)))

    def text(self) -> str:
        """The remaining bytes as ISO 646 text."""
        return self.bytes(len(self.data)).decode("ascii")

    def items(self) -> "list[tuple[int, Cursor]]":
        """Items until the end: type, reserved, length, value."""
        found = []
        while self.data:
            kind = self.number(1)
            self.bytes(1)
            found.append((kind, self.counted(2)))
        return found


def read(data: bytes) -> Row:
    """Read one whole PDU: Table 9-11, 9-17, 9-21, 9-22, 9-24, 9-25 or 9-26."""
    whole = Cursor(data)
    kind = whole.number(1)
    whole.bytes(1)
    body = whole.counted(4)
    if whole.data or kind not in NAMES:
        raise Unsound("not one PDU")
    row: Row = {"pdu": NAMES[kind]}
    if kind in (1, 2):
        return row | associate(body, kind)
    if kind == 3:
        body.bytes(1)
        row |= {"result": body.number(1), "source": body.number(1), "reason": body.number(1)}
    if kind == 7:
        body.bytes(2)
        row |= {"source": body.number(1), "reason": body.number(1)}
    if kind in (5, 6):
        body.bytes(4)
    if kind == 4:
        row |= values(body)
    if body.data:
        raise Unsound("bytes after the last field")
    return row


def associate(body: Cursor, kind: int) -> Row:
    """Tables 9-11 and 9-17."""
    row: Row = {"protocol_version": body.number(2)}
    body.bytes(2)
    row["called_ae"] = body.bytes(16).decode("latin-1")
    row["calling_ae"] = body.bytes(16).decode("latin-1")
    body.bytes(32)
    row |= {"application_context": None, "contexts": [], "item_order": []}
    for item, value in body.items():
        row["item_order"].append(item)
        if item == 0x10:
            row["application_context"] = value.text()
        elif item == 0x20 + kind - 1:
            row["contexts"].append(context(value, kind))
        elif item == 0x50:
            row |= user(value, row["item_order"])
        else:
            raise Unsound(f"item {item:02X}H")
    return row


def context(value: Cursor, kind: int) -> list[Any]:
    """Tables 9-13 and 9-18: for a request id, abstract syntax, transfer syntaxes; for an answer id, result, syntax."""
    number = value.number(1)
    value.bytes(1)
    result = value.number(1)
    value.bytes(1)
    parts = [(item, part.text()) for item, part in value.items()]
    if kind == 1:
        (abstract,) = (text for item, text in parts if item == 0x30)
        return [number, abstract, [text for item, text in parts if item == 0x40]]
    if [item for item, _ in parts] != [0x40]:
        raise Unsound("not one transfer syntax")
    return [number, result, parts[0][1]]


def user(value: Cursor, order: list[int]) -> Row:
    """Table 9-16, PS3.8 Annex D.1 and PS3.7 Annex D.3.3."""
    row: Row = {}
    for item, part in value.items():
        order.append(item)
        if item == 0x51:
            row["max_pdu"] = part.number(4)
        elif item == 0x52:
            row["implementation_class_uid"] = part.text()
        elif item == 0x53:
            row["asynchronous_operations_window"] = [part.number(2), part.number(2)]
        elif item == 0x54:
            row.setdefault("roles", []).append([part.counted(2).text(), part.number(1), part.number(1)])
        elif item == 0x55:
            row["implementation_version_name"] = part.text()
        elif item == 0x56:
            uid = part.counted(2).text()
            row.setdefault("extended_negotiation", []).append([uid, part.bytes(len(part.data)).hex()])
        elif item == 0x57:
            row.setdefault("common_extended_negotiation", []).append(common(part))
        elif item == 0x58:
            kind, wanted = part.number(1), part.number(1)
            fields = [part.counted(2).data.hex(), part.counted(2).data.hex()]
            row["user_identity"] = [kind, wanted, *fields]
        elif item == 0x59:
            row["user_identity_response"] = part.counted(2).data.hex()
        else:
            raise Unsound(f"sub-item {item:02X}H")
        if part.data:
            raise Unsound("bytes after the last field of a sub-item")
    return row


def common(part: Cursor) -> list[Any]:
    """PS3.7 Table D.3-12."""
    row = [part.counted(2).text(), part.counted(2).text()]
    related, block = [], part.counted(2)
    while block.data:
        related.append(block.counted(2).text())
    part.data = b""  # reserved for later versions
    return [*row, related]


def values(body: Cursor) -> Row:
    """Table 9-22 and Annex E: the command set of one whole message."""
    command = b""
    ids = set()
    while body.data:
        value = body.counted(4)
        ids.add(value.number(1))
        if value.number(1) & 1:
            command += value.data
    return {"context_ids": sorted(ids)} | elements(Cursor(command))


def elements(command: Cursor) -> Row:
    """PS3.7 §6.3.1 and Table 9.3-13. The group length is a field only where it is wrong."""
    row: Row = {"elements": [], "sop_class_uid": None}
    while command.data:
        group, number, length = command.little(2), command.little(2), command.little(4)
        value = Cursor(command.bytes(length))
        row["elements"].append(number)
        if group:
            raise Unsound("group")
        if number == 0x0000 and value.little(4) != len(command.data):
            row["group_length"] = "wrong"
        if number == 0x0002:
            row["sop_class_uid"] = value.text().removesuffix("\0")
        for wanted, name in ((0x0100, "command_field"), (0x0120, "message_id"), (0x0900, "status")):
            if number == wanted:
                row[name] = value.little(2)
    return row


def warnings(row: Row) -> list[str]:
    """The warnings that PDUs of real products get, rule by rule, in alphabetical order."""
    rules: dict[str, bool] = {}
    if row["pdu"] == "A-ASSOCIATE-AC":
        ids = [number for number, _, _ in row["contexts"]]
        texts = [row["application_context"], row.get("implementation_class_uid"), "1"]
        rules = {
            "application_context": row["application_context"] != "1.2.840.10008.3.1.1.1",
            "class_uid_missing": "implementation_class_uid" not in row,
            "context_id_even": any(number % 2 == 0 for number in ids),
            "context_missing": not ids,
            "name_empty": row.get("implementation_version_name") == "",
            "uid_empty": "" in texts,
        }
    if row["pdu"] == "P-DATA-TF":
        rules = {"group_length": "group_length" in row, "uid_empty": row["sop_class_uid"] == ""}
    if row["pdu"] == "A-ASSOCIATE-RJ":
        rules = {"rejection_reserved": row["result"] not in (1, 2)}
    if row["pdu"] == "A-ABORT":
        rules = {"abort_insignificant": row["source"] == 0 and row["reason"] != 0}
    return sorted(name for name, holds in rules.items() if holds)


def note(row: Row) -> str:
    """A row in the vocabulary of the program that captured the replies and decoded each reply itself."""
    if row["pdu"] == "A-ASSOCIATE-RJ":
        return "A-ASSOCIATE-RJ result={result} source={source} reason={reason}".format(**row)
    if row["pdu"] == "A-ABORT":
        return "A-ABORT source={source} reason={reason}".format(**row)
    if row["pdu"] == "P-DATA-TF":
        return f"P-DATA-TF status={row['status']:04x}"
    return " ".join(_accepted(row)) if row["pdu"] == "A-ASSOCIATE-AC" else row["pdu"]


def _accepted(row: Row) -> list[str]:
    """The same for an A-ASSOCIATE-AC."""
    words = [f"A-ASSOCIATE-AC ver={row['protocol_version']}"]
    words += [f"{side}={row[side + '_ae'].encode('latin-1')!r}" for side in ("called", "calling")]
    words.append(f"app={row['application_context']}")
    words += [f"pc[{number}]={result} ts={syntax}" for number, result, syntax in row["contexts"]]
    window = row.get("asynchronous_operations_window")
    said = {
        0x51: lambda: f"51={row['max_pdu']}",
        0x52: lambda: f"52={row['implementation_class_uid']!r}",
        0x53: lambda: f"53={window[0]:04x}{window[1]:04x}",
        0x55: lambda: f"55={row['implementation_version_name']!r}",
    }
    return words + [said[item]() for item in row["item_order"] if item in said]
