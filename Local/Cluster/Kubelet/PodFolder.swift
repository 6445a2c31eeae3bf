import Foundation

/// Where a pod's files are on the machine.
struct PodFolder: Sendable {
    let path: String

    init(cluster folder: String, uid: String) { path = "\(folder)/pods/\(uid)" }

    /// What the container printed, in the CRI's format.
    func log(_ container: String, _ attempt: Int) -> String { "\(path)/\(container)/\(attempt).log" }

    /// What the program says of its end.
    func message(_ container: String, _ attempt: Int) -> String { "\(path)/\(container)/\(attempt).message" }

    func volume(_ name: String) -> String { "\(path)/volumes/\(name)" }

    /// Where parts of volumes are mounted while a container starts. (No volume can be named so.)
    func parts(_ container: String) -> String { "\(volumes)/.parts/\(container)" }

    func part(_ container: String, _ number: Int) -> String { "\(parts(container))/\(number)" }

    var volumes: String { "\(path)/volumes" }
    var hosts: String { "\(path)/etc/hosts" }
    var resolver: String { "\(path)/etc/resolv.conf" }

    /// Only its owner may look into it: secrets lie here.
    func make() throws {
        for folder in [path, volumes, "\(path)/etc"] {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        }
        try FileManager.default.setAttributes([.posixPermissions: 0o750], ofItemAtPath: path)
    }

    /// Empty files for a run that is about to begin. Logs of runs before the last two are removed.
    func prepare(_ container: String, attempt: Int) throws {
        let files = FileManager.default
        try files.createDirectory(atPath: "\(path)/\(container)", withIntermediateDirectories: true)
        if !files.fileExists(atPath: message(container, attempt)) {
            _ = files.createFile(atPath: message(container, attempt), contents: nil, attributes: [.posixPermissions: 0o666])
        }
        guard attempt >= 2 else { return }
        for name in (try? files.contentsOfDirectory(atPath: "\(path)/\(container)")) ?? [] {
            guard let number = name.split(separator: ".").first.flatMap({ Int($0) }), number < attempt - 1 else { continue }
            try? files.removeItem(atPath: "\(path)/\(container)/\(name)")
        }
    }

    /// The end of a run in its own words, at most 4096 bytes; else, if that is asked for and it failed, the end of its log.
    func lastWords(_ container: ContainerTemplate, attempt: Int, failed: Bool) -> String? {
        if let text = Self.head(of: message(container.name, attempt), bytes: 4096), !text.isEmpty { return text }
        guard container.fallsBackToLog, failed else { return nil }
        let text = Self.logTail(log(container.name, attempt), lines: 80, bytes: 2048)
        return text.isEmpty ? nil : text
    }

    private static func head(of path: String, bytes: Int) -> String? {
        guard let handle = FileHandle(forReadingAtPath: path) else { return nil }
        defer { try? handle.close() }
        return (try? handle.read(upToCount: bytes)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The last lines of a log without times and streams, as few bytes as asked for.
    static func logTail(_ path: String, lines: Int, bytes: Int) -> String {
        guard let handle = FileHandle(forReadingAtPath: path) else { return "" }
        defer { try? handle.close() }
        // Every line carries about fifty bytes of its own.
        let window = UInt64(bytes + (lines + 1) * 64 + 4096)
        let size = (try? handle.seekToEnd()) ?? 0
        try? handle.seek(toOffset: size > window ? size - window : 0)
        var data = (try? handle.readToEnd()) ?? Data()
        if size > window, let newline = data.firstIndex(of: 0x0A) { data = data[(newline + 1)...] }
        var text: [UInt8] = []
        for line in data.split(separator: 0x0A) {
            // <time> <stream> <F|P> <text>
            let parts = line.split(separator: 0x20, maxSplits: 3, omittingEmptySubsequences: false)
            guard parts.count == 4 else { continue }
            text += parts[3]
            if parts[2].first == UInt8(ascii: "F") { text.append(0x0A) }
        }
        var start = max(0, text.count - bytes)
        var breaks = 0
        for place in text.indices.reversed() where place >= start && text[place] == 0x0A && place != text.count - 1 {
            breaks += 1
            if breaks == lines {
                start = place + 1
                break
            }
        }
        return String(decoding: text[start...], as: UTF8.self)
    }
}
