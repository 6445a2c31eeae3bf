import PlatformModel
import ServiceKit

/// The event that a project was removed, and with it all that it held (admin.md 8).
public struct ProjectRemoval: Hashable, Sendable {
    public static let stream = "platform-admin"
    public static let type = "project-remove"

    public let cluster: ClusterName
    /// nil for a project without an organization.
    public let org: OrgName?
    public let project: ProjectName

    public init(cluster: ClusterName, org: OrgName?, project: ProjectName) {
        (self.cluster, self.org, self.project) = (cluster, org, project)
    }

    /// nil for another kind of event.
    /// - Throws: `NameError` for names that no project has.
    public init?(_ event: PlatformEvent) throws {
        guard event.stream == Self.stream, event.type == Self.type else { return nil }
        cluster = try ClusterName(event.cluster ?? "")
        org = try event.org.map { try OrgName($0) }
        project = try ProjectName(event.project ?? "")
    }
}

extension EventConsumer {
    /// Clears away what removed projects held. Until every such consumer has acknowledged, the project's name is not free again.
    /// - Parameters:
    ///   - cluster: the one whose projects count; nil for all.
    ///   - clear: succeeds when there is nothing (any more); called again after a failure.
    public convenience init?(
        removing context: ServiceContext, group: String, cluster: ClusterName?,
        _ clear: @escaping @Sendable (ProjectRemoval) async throws -> Void
    ) throws {
        let logger = context.logger
        try self.init(context, stream: ProjectRemoval.stream, group: group) { event in
            let removal: ProjectRemoval
            do {
                guard let told = try ProjectRemoval(event) else { return }
                removal = told
            } catch {
                // It would be as wrong the next time.
                logger.error("An event names no project", metadata: ["tag": "\(event.tag)", "error": "\(error)"])
                return
            }
            guard cluster == nil || removal.cluster == cluster else { return }
            try await clear(removal)
            logger.notice(
                "What a removed project held is gone",
                metadata: ["cluster": "\(removal.cluster)", "org": "\(removal.org?.text ?? "")", "project": "\(removal.project)"])
        }
    }
}
