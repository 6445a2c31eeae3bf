import Foundation

/// One local platform a run folder: an advisory lock on `pid`, which also says whom `make stop` asks to end.
struct RunLock {
    private let descriptor: Int32
    private let path: String

    init(_ folder: RunFolder) throws {
        path = folder.file("pid")
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0, flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw StackError("the platform in \(folder.path) runs already (`make stop` ends it)")
        }
        ftruncate(descriptor, 0)
        let text = "\(getpid())\n"
        _ = text.withCString { Foundation.write(descriptor, $0, strlen($0)) }
    }

    func release() {
        unlink(path)
        close(descriptor)
    }
}
