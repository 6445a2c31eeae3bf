import Kubernetes
import TestSupport

@testable import DiskService

extension DiskStage {
    func withHomes(_ body: (ProjectHomes) async throws -> Void) async throws {
        let clusters = VirtualClusters(limit: 2, callTimeout: .seconds(10), logger: TestLog().logger("test"))
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await body(ProjectHomes(host: client, virtual: clusters))) } catch { outcome = .failure(error) }
        await clusters.closeAll()
        try outcome.get()
    }

    func withStore(_ body: (DiskStore) async throws -> Void) async throws {
        try await withHomes { try await body(DiskStore(homes: $0, storageClass: nil, logger: TestLog().logger("test"))) }
    }
}
