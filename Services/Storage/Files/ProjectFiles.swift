import PlatformClients
import ServiceKit
import Synchronization

/// Removes what a project kept in the storages of the cluster (storage.md 14).
struct ProjectFiles: Sendable {
    let storages: [Storage]

    /// Objects removed in one go, and its time: between two, whoever cancels is heard.
    private static let batch = 1000
    private static let time = Duration.milliseconds(200)

    /// - Throws: when something could not be removed; the other storages are cleared all the same, and this may be repeated.
    func remove(_ removal: ProjectRemoval) async throws {
        // A project without an organization has a folder at the top.
        let components = (removal.org.map { [$0.text] } ?? []) + [removal.project.text]
        var failure: (any Error)?
        for storage in storages {
            do {
                try await remove(components, from: storage)
            } catch {
                try Task.checkCancellation()
                failure = error
            }
        }
        if let failure { throw failure }
    }

    private func remove(_ components: [String], from storage: Storage) async throws {
        do {
            let steps = try await storage.work.run {
                Steps(try storage.removal(StoragePath(components: components), components[...], recursive: true))
            }
            while try await storage.work.run({ try steps.next() }) {}
        } catch let error as FileFailure where error == .missing || error == .belowFile {
            // It has none here, or none any more.
        }
    }

    /// A call that was given up goes on to its end.
    private final class Steps: Sendable {
        private let tree: Mutex<TreeRemoval>
        init(_ tree: TreeRemoval) { self.tree = Mutex(tree) }

        /// False when nothing is left.
        func next() throws -> Bool { try tree.withLock { try !$0.next(batch, within: time).isEmpty } }
    }
}
