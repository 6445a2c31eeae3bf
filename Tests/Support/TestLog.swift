import Foundation
import Logging
import ServiceKit
import Synchronization

/// Keeps the JSON lines of a logger.
public final class TestLog: Sendable {
    private let kept = Mutex<[String]>([])

    /// An empty log.
    public init() {}

    /// A logger that writes here, and to standard output when `ORRERY_TEST_LOG` is set.
    public func logger(_ label: String, level: Logger.Level = .debug) -> Logger {
        Logger(label: label) { label in
            JSONLogHandler(label: label, level: level) { line in
                self.kept.withLock { $0.append(line) }
                if ProcessInfo.processInfo.environment["ORRERY_TEST_LOG"] != nil { print(line, terminator: "") }
            }
        }
    }

    /// Every line so far.
    public var lines: [String] { kept.withLock { $0 } }

    /// The lines with this message, as objects.
    public func entries(_ message: String) -> [[String: Any]] {
        lines.compactMap { try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] }.filter {
            $0["message"] as? String == message
        }
    }
}
