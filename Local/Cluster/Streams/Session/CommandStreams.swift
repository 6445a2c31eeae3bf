import Kubernetes
import ServiceKit

/// Which streams an exec or attach has.
struct CommandStreams: Sendable, Equatable {
    let stdin: Bool
    let stdout: Bool
    let stderr: Bool
    let tty: Bool

    /// - Throws: ``StatusError`` 400 when there is none.
    init(_ query: QueryItems) throws(StatusError) {
        stdin = query.flag("stdin")
        stdout = query.flag("stdout")
        tty = query.flag("tty")
        // A terminal has one output.
        stderr = query.flag("stderr") && !tty
        guard stdin || stdout || stderr else { throw .badRequest("you must specify at least 1 of stdin, stdout, stderr") }
    }
}

/// How a session ended, as the error channel tells it.
enum SessionEnd: Sendable, Equatable {
    case success
    case exited(code: Int, command: [String])
    case failed(String)

    var status: Object {
        switch self {
        case .success, .exited(0, _): return ["metadata": [:], "status": "Success"]
        case .exited(let code, let command):
            let text = "error executing command [\(command.joined(separator: " "))], exit code \(code)"
            return [
                "metadata": [:], "status": "Failure", "message": .string("command terminated with non-zero exit code: \(text)"),
                "reason": "NonZeroExitCode", "details": ["causes": [["reason": "ExitCode", "message": .string(String(code))]]],
            ]
        case .failed(let text): return StatusError.internalError(text).object
        }
    }

    /// For clients older than the status: the text of a failure.
    var text: String? {
        guard status["status"]?.string != "Success" else { return nil }
        return status["message"]?.string
    }
}
