import Glibc
import ServiceKit

/// A failed call of the file system, by the name and in the words that clients know.
struct FileFailure: Error, Equatable {
    let code: CInt
    let text: String

    init(_ code: CInt, _ text: String? = nil) {
        self.code = code
        self.text = text ?? ErrorNames.text(code)
    }

    var name: String { ErrorNames.name(code) }

    static var nameTooLong: FileFailure { FileFailure(ENAMETOOLONG) }
    static var missing: FileFailure { FileFailure(ENOENT) }
    /// There is no room for what was to be written.
    var isFull: Bool { code == ENOSPC || code == EDQUOT || code == EFBIG }

    /// The way to an object leads through one that is no folder.
    static var belowFile: FileFailure { FileFailure(ENOTDIR) }
    static var storageRoot: FileFailure { FileFailure(EPERM, "Target is a storage root") }
}

extension FileFailure: PlatformErrorConvertible {
    /// A storage that is not there now may be soon: everything else will not change by itself.
    var platformError: PlatformError {
        guard self != .awayStorage, self != .silentStorage else {
            return PlatformError(.serviceUnavailable, text, code: name, headers: [.retryAfter: "2"])
        }
        return .badRequest(text, code: name)
    }

    /// A storage's own folder cannot be reached: never to be taken for an empty one.
    static var awayStorage: FileFailure { FileFailure(EIO, "The storage is not available; try again.") }
    /// A call has not come back in time; whether it will have been carried out nobody knows.
    static var silentStorage: FileFailure { FileFailure(ETIMEDOUT, "The storage does not answer; try again.") }
}

/// Calls until it is not interrupted.
@discardableResult
func calling(_ call: () -> CInt) throws(FileFailure) -> CInt {
    while true {
        let result = call()
        guard result < 0 else { return result }
        guard errno == EINTR else { throw FileFailure(errno) }
    }
}
