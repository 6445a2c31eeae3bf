/// Where something is mounted in the container: absolute, without `..`, in normal form (jobs-api.md 6.4).
enum MountPath {
    static func check(_ value: OrderedJSON) throws(Problem) -> String {
        let path = try Check.text(value)
        guard path.hasPrefix("/") else { throw .message("Mount path must be absolute: '\(path)'") }
        let segments = path.split(separator: "/").filter { $0 != "." }
        guard !segments.contains("..") else { throw .message("Invalid path: '\(path)'") }
        return "/" + segments.joined(separator: "/")
    }

    /// Two mounts of one list must not share a path.
    static func checkDistinct(_ paths: [String]) throws(Problem) {
        var seen: Set<String> = []
        for path in paths where !seen.insert(path).inserted {
            throw .message("destination path '\(path)' was encountered multiple times")
        }
    }
}
