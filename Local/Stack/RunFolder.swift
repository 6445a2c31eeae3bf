import Foundation

/// The folder that holds everything one local platform leaves on the disk: stores, secrets, logs, pids.
struct RunFolder: Sendable {
    let path: String

    init(_ path: String) throws {
        self.path = path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
        try FileManager.default.createDirectory(atPath: self.path, withIntermediateDirectories: true)
        for folder in ["logs", "parts", "held", "storage"] { try make(folder) }
        try make("secrets", permissions: 0o700)
    }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    /// A short name of this folder (FNV-1a of its path), for what has to live elsewhere on the machine.
    var fingerprint: String {
        String(path.utf8.reduce(UInt64(14_695_981_039_346_656_037)) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }, radix: 16)
    }

    /// A place for something with sockets inside, whose paths have to be short: below the run folder, or elsewhere if that lies too deep.
    func short(_ name: String) -> String {
        let own = file(name)
        if own.utf8.count <= 70 { return own }
        return (SystemUser.isRoot ? "/var/lib/orrery" : NSHomeDirectory() + "/.local/share/orrery") + "/\(name)-\(fingerprint)"
    }

    /// Makes a folder below the run folder and answers its path.
    @discardableResult
    func make(_ folder: String, permissions: Int = 0o755) throws -> String {
        let made = file(folder)
        try FileManager.default.createDirectory(
            atPath: made, withIntermediateDirectories: true, attributes: [.posixPermissions: permissions])
        return made
    }

    /// Writes a file whole or not at all.
    func write(_ text: String, to name: String, permissions: Int = 0o644) throws {
        let target = file(name)
        let draft = target + ".new"
        guard FileManager.default.createFile(atPath: draft, contents: Data(text.utf8), attributes: [.posixPermissions: permissions]) else {
            throw StackError("cannot write \(draft)")
        }
        guard rename(draft, target) == 0 else { throw StackError("cannot write \(target)") }
    }

    /// The text of a file, without surrounding white space; nil if there is none.
    func read(_ name: String) -> String? {
        guard let data = FileManager.default.contents(atPath: file(name)) else { return nil }
        return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: file(name)) }

    func remove(_ name: String) { try? FileManager.default.removeItem(atPath: file(name)) }
}

/// What stops the local platform, in one sentence for the person who typed `make run`.
struct StackError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
