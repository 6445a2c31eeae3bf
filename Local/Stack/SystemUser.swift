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

    func own(_ path: String) throws {
        guard chown(path, id, group) == 0 else { throw StackError("cannot give \(path) to its user") }
    }
}
