import Foundation

/// A user of this machine.
struct SystemUser: Sendable {
    let id: uid_t
    let group: gid_t

    static var isRoot: Bool { geteuid() == 0 }

    /// Looks a user up by name; nil if the machine has none of that name.
    init?(named name: String) {
        guard let entry = getpwnam(name) else { return nil }
        id = entry.pointee.pw_uid
        group = entry.pointee.pw_gid
    }

    /// The command line that runs a program as this user, and as nobody else.
    ///
    /// Not by the user and group of `PlatformOptions`: glibc's `setgid` in a child that was forked while another thread was being made waits
    /// for that thread, which the child does not have, for ever (seen). `setpriv` keeps the pid, as it becomes the program.
    func command(_ executable: String, _ arguments: [String]) -> (executable: String, arguments: [String]) {
        ("/usr/bin/setpriv", ["--reuid=\(id)", "--regid=\(group)", "--clear-groups", "--", executable] + arguments)
    }

    func own(_ path: String) throws {
        guard chown(path, id, group) == 0 else { throw StackError("cannot give \(path) to its user") }
    }
}
