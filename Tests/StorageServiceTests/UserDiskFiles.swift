import Glibc

/// The files of a ``UserDisk``, in memory, and the answers to what the kernel asks of them (linux/fuse.h, protocol 7.31).
struct UserDiskFiles {
    enum Call: UInt32 {
        case lookup = 1
        case attributes = 3
        case change = 4
        case makeFolder = 9
        case remove = 10
        case removeFolder = 11
        case rename = 12
        case open = 14
        case read = 15
        case write = 16
        case usage = 17
        case release = 18
        case flush = 25
        case begin = 26
        case openFolder = 27
        case readFolder = 28
        case releaseFolder = 29
        case create = 35
    }

    /// What is to go wrong.
    struct Faults {
        var quota: Int?
        var stale: Set<String> = []
        var refilled: Set<String> = []
    }

    private struct Node {
        let isFolder: Bool
        var name = ""
        var data: [UInt8] = []
        /// In the order of their making.
        var children: [(name: String, id: UInt64)] = []
    }

    private struct Refused: Error {
        let code: CInt
        init(_ code: CInt) { self.code = code }
    }

    /// Neither is answered.
    private static let forgetting: Set<UInt32> = [2, 36, 42]
    private static let bigWrites: UInt32 = 1 << 5
    private static let block = 4096

    private var nodes: [UInt64: Node] = [1: Node(isFolder: true)]
    private var last: UInt64 = 1

    /// nil for what is not to be answered.
    mutating func answer(_ request: UserDiskRequest, _ faults: Faults) -> [UInt8]? {
        if Self.forgetting.contains(request.operation) { return nil }
        var body = Bytes()
        var code: CInt = 0
        do {
            guard let call = Call(rawValue: request.operation) else { throw Refused(ENOSYS) }
            try carryOut(call, request, faults, &body)
        } catch {
            (body, code) = (Bytes(), (error as? Refused)?.code ?? EIO)
        }
        var answer = Bytes()
        answer.add(UInt32(16 + body.bytes.count))
        answer.add(UInt32(bitPattern: -code))
        answer.add(request.unique)
        return answer.bytes + body.bytes
    }

    private mutating func carryOut(_ call: Call, _ request: UserDiskRequest, _ faults: Faults, _ body: inout Bytes) throws {
        if let name = nodes[request.node]?.name, faults.stale.contains(name) { throw Refused(ESTALE) }
        switch call {
        case .begin:
            for number: UInt32 in [7, 31, 128 << 10, Self.bigWrites, 12 << 16 | 16, 128 << 10, 1, 0] { body.add(number) }
            body.pad(to: 64)
        case .lookup: entry(try child(request.names(0)[0], of: request.node, faults).id, &body)
        case .attributes: attributes(try node(request.node), request.node, &body)
        case .change:
            if request.number(0, as: UInt32.self) & 8 != 0 { try cut(request.node, to: Int(request.number(16, as: UInt64.self)), faults) }
            attributes(try node(request.node), request.node, &body)
        case .makeFolder:
            let id = try make(request.names(8)[0], in: request.node, isFolder: true)
            entry(id, &body)
        case .remove, .removeFolder:
            let (index, id) = try child(request.names(0)[0], of: request.node, faults)
            let isFolder = try node(id).isFolder
            if faults.refilled.contains(try node(id).name) { _ = try make("again-\(last)", in: id, isFolder: false) }
            guard isFolder == (call == .removeFolder) else { throw Refused(isFolder ? EISDIR : ENOTDIR) }
            guard try node(id).children.isEmpty else { throw Refused(ENOTEMPTY) }
            nodes[request.node]?.children.remove(at: index)
            // Somebody may have it open; it takes no room.
            nodes[id]?.data = []
        case .rename:
            let names = request.names(8)
            let (index, id) = try child(names[0], of: request.node, faults)
            nodes[request.node]?.children.remove(at: index)
            nodes[request.number(0, as: UInt64.self)]?.children.removeAll { $0.name == names[1] }
            nodes[request.number(0, as: UInt64.self)]?.children.append((names[1], id))
            nodes[id]?.name = names[1]
        case .open, .openFolder: body.pad(to: 16)
        case .create:
            let id = try make(request.names(16)[0], in: request.node, isFolder: false)
            entry(id, &body)
            body.pad(to: body.bytes.count + 16)
        case .read:
            body.bytes += try node(request.node).data.dropFirst(Int(request.number(8, as: UInt64.self)))
                .prefix(Int(request.number(16, as: UInt32.self)))
        case .write:
            let (offset, count) = (Int(request.number(8, as: UInt64.self)), Int(request.number(16, as: UInt32.self)))
            try cut(request.node, to: max(try node(request.node).data.count, offset + count), faults)
            nodes[request.node]?.data.replaceSubrange(offset..<offset + count, with: request.data(40, count))
            body.add(UInt32(count))
            body.add(UInt32(0))
        case .readFolder: try read(request, &body)
        case .usage: usage(&body)
        case .flush, .release, .releaseFolder: break
        }
    }

    // MARK: Nodes

    private func node(_ id: UInt64) throws -> Node {
        guard let node = nodes[id] else { throw Refused(ESTALE) }
        return node
    }

    private func child(_ name: String, of id: UInt64, _ faults: Faults) throws -> (index: Int, id: UInt64) {
        if faults.stale.contains(name) { throw Refused(ESTALE) }
        let children = try node(id).children
        guard let index = children.firstIndex(where: { $0.name == name }) else { throw Refused(ENOENT) }
        return (index, children[index].id)
    }

    private mutating func make(_ name: String, in parent: UInt64, isFolder: Bool) throws -> UInt64 {
        guard try !node(parent).children.contains(where: { $0.name == name }) else { throw Refused(EEXIST) }
        last += 1
        nodes[last] = Node(isFolder: isFolder, name: name)
        nodes[parent]?.children.append((name, last))
        return last
    }

    private mutating func cut(_ id: UInt64, to size: Int, _ faults: Faults) throws {
        let data = try node(id).data
        let others = nodes.values.reduce(-data.count) { $0 + $1.data.count }
        if size > data.count, let quota = faults.quota, others + size > quota { throw Refused(EDQUOT) }
        if size < data.count { nodes[id]?.data.removeLast(data.count - size) }
        if size > data.count { nodes[id]?.data += [UInt8](repeating: 0, count: size - data.count) }
    }

    // MARK: Answers

    private func read(_ request: UserDiskRequest, _ body: inout Bytes) throws {
        let (from, room) = (Int(request.number(8, as: UInt64.self)), Int(request.number(16, as: UInt32.self)))
        for (index, child) in try node(request.node).children.enumerated().dropFirst(from) {
            let name = [UInt8](child.name.utf8)
            guard body.bytes.count + 24 + (name.count + 7) / 8 * 8 <= room else { return }
            body.add(child.id)
            body.add(UInt64(index + 1))
            body.add(UInt32(name.count))
            body.add(UInt32(nodes[child.id]?.isFolder == true ? DT_DIR : DT_REG))
            body.bytes += name
            body.pad(to: (body.bytes.count + 7) / 8 * 8)
        }
    }

    /// Known for no time: each look is a question.
    private func entry(_ id: UInt64, _ body: inout Bytes) {
        body.add(id)
        body.pad(to: 40)
        if let node = nodes[id] { write(node, id, &body) }
    }

    private func attributes(_ node: Node, _ id: UInt64, _ body: inout Bytes) {
        body.pad(to: 16)
        write(node, id, &body)
    }

    private func write(_ node: Node, _ id: UInt64, _ body: inout Bytes) {
        let size = node.data.count
        for number in [id, UInt64(size), UInt64((size + 511) / 512), 1_700_000_000, 1_700_000_000, 1_700_000_000] { body.add(number) }
        let mode = (node.isFolder ? S_IFDIR : S_IFREG) | 0o777
        for number: UInt32 in [0, 0, 0, mode, 1, 0, 0, 0, UInt32(Self.block), 0] { body.add(number) }
    }

    /// There is room, whatever the quota says.
    private func usage(_ body: inout Bytes) {
        for number: UInt64 in [1 << 20, 1 << 19, 1 << 19, 1 << 20, 1 << 19] { body.add(number) }
        for number: UInt32 in [UInt32(Self.block), 255, UInt32(Self.block)] { body.add(number) }
        body.pad(to: 80)
    }

    private struct Bytes {
        var bytes: [UInt8] = []

        mutating func add<T: FixedWidthInteger>(_ number: T) { withUnsafeBytes(of: number.littleEndian) { bytes += $0 } }

        mutating func pad(to count: Int) { bytes += [UInt8](repeating: 0, count: count - bytes.count) }
    }
}
