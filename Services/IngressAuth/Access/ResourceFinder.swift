import Foundation
import PlatformClients
import PlatformModel
import ServiceKit

/// Finds the job or app behind a host, with this service's own token: what a visitor may not see decides as much as what he may.
struct ResourceFinder: Sendable {
    let jobs: JobsClient
    /// nil: the platform has no apps, and their hosts nothing behind them.
    let apps: AppsClient?
    let calls: OutgoingCalls
    let found: AnswerCache<PlacedHost, Resource>
    let lifetime: Duration
    /// Of "there is none": a job that just began must not stay hidden.
    let negativeLifetime: Duration

    /// - Parameter principal: who asks, for the limit.
    func resource(of place: PlacedHost, for principal: String) async throws -> Resource {
        if place.zone.kind == .platform { return .page }
        return try await found.value(for: place) {
            $0 == .unknown ? negativeLifetime : lifetime
        } ask: {
            try await calls.run(for: principal) { place.zone.kind == .jobs ? try await job(place) : try await app(place) }
        }
    }

    // MARK: Jobs

    private func job(_ place: PlacedHost) async throws -> Resource {
        guard let candidates = try await candidates(place) else { return .unknown }
        let served = candidates.filter { job in
            job.clusterName == place.zone.cluster
                && [job.httpURL, job.httpURLNamed].contains { $0.map { Self.host(of: $0) == place.host } ?? false }
        }
        let active = served.filter { !$0.status.isFinished }
        // Two of one host are possible when org and project, joined, read the same: either may be the one that answers, so both must be open.
        let chosen = active.isEmpty ? served.max { $0.history.createdAt < $1.history.createdAt }.map { [$0] } ?? [] : Self.newest(active)
        return chosen.isEmpty ? .unknown : .guarded(try chosen.map(Self.permissions))
    }

    /// nil when the host's label is none that a job could have.
    private func candidates(_ place: PlacedHost) async throws -> [JobResponse]? {
        do {
            // Only the label counts for jobs-api.
            return try await jobs.jobs([("hostname", place.subject + place.host.text.dropFirst(place.host.labels.first?.count ?? 0))])
        } catch ClientError.status(_, 400, _) {
            return nil
        }
    }

    /// The newest of each project.
    private static func newest(_ jobs: [JobResponse]) -> [JobResponse] {
        struct Place: Hashable { let org: String?, project: String }
        return Dictionary(grouping: jobs) { Place(org: $0.orgName, project: $0.projectName) }.values
            .compactMap { $0.max { $0.history.createdAt < $1.history.createdAt } }.sorted { $0.id < $1.id }
    }

    private static func permissions(_ job: JobResponse) throws -> [Permission] {
        let uri = try ResourceURI(job.uri)
        guard uri.scheme == .job, uri.segments.last == job.id.text else {
            throw ClientError.malformed(service: "jobs-api", reason: "the URI of \(job.id) is \(job.uri)")
        }
        return [Permission(uri, .read)]
            + (job.name.map { [Permission(ResourceURI(.job, uri.segments.dropLast() + [$0]), .read)] } ?? [])
    }

    private static func host(of url: String) -> HostName? {
        guard let start = url.range(of: "://")?.upperBound else { return nil }
        return HostName(url[start...].prefix { $0 != "/" })
    }

    // MARK: Apps

    private func app(_ place: PlacedHost) async throws -> Resource {
        guard let apps else { return .unknown }
        let label = place.subject.hasSuffix("-grpc") ? String(place.subject.dropLast("-grpc".count)) : place.subject
        let id = label.range(of: "--", options: .backwards).map { String(label[$0.upperBound...]) }
        let app: AppInstance? =
            if let id, UUID(uuidString: id) != nil { try await apps.instance(id: id) } else { try await apps.instance(name: label) }
        guard let app, app.clusterName == place.zone.cluster else { return .unknown }
        let project = ResourceURI(.app, [app.clusterName, app.orgName, app.projectName])
        return .guarded([[Permission(project.appending(app.id), .read), Permission(project.appending(app.name), .read)]])
    }
}
