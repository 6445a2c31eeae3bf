import Kubernetes
import PlatformModel

/// What the watches have told of disks and of the pods that use them. Pure.
struct UsageBook: Sendable {
    struct Place: Hashable, Sendable {
        let namespace: String
        let claim: String
    }

    /// A use that is not recorded yet.
    struct Use: Sendable {
        let disk: Disk
        let time: UTCTime
    }

    private struct PodUse {
        let places: Set<Place>
        let isFinished: Bool
    }

    /// A claim may be told of later than the pod that uses it.
    private static let patience = 60.0

    private(set) var disks: [Place: Disk] = [:]
    private var pods: [String: PodUse] = [:]
    private var due: [Place: UTCTime] = [:]

    // MARK: Claims

    mutating func apply(_ event: WatchEvent<PersistentVolumeClaim>) {
        switch event {
        case .listed(let claims):
            disks = [:]
            for claim in claims { note(claim) }
        case .added(let claim), .modified(let claim): note(claim)
        case .deleted(let claim): disks[Self.place(claim)] = nil
        }
    }

    private mutating func note(_ claim: PersistentVolumeClaim) { disks[Self.place(claim)] = Disk(claim) }

    private static func place(_ claim: PersistentVolumeClaim) -> Place {
        Place(namespace: claim.metadata.namespace ?? "", claim: claim.metadata.name ?? "")
    }

    // MARK: Pods

    /// Whatever happens to a pod is a use of its disks; that a finished one is still there when the list is read is none.
    mutating func apply(_ event: WatchEvent<Pod>, at now: UTCTime) {
        switch event {
        case .listed(let found):
            pods = [:]
            for pod in found { if note(pod) { use(pod, at: now) } }
        case .added(let pod), .modified(let pod):
            note(pod)
            use(pod, at: now)
        case .deleted(let pod):
            pods[pod.metadata.uid ?? ""] = nil
            use(pod, at: now)
        }
    }

    /// Whether it has not finished.
    @discardableResult
    private mutating func note(_ pod: Pod) -> Bool {
        let isFinished = ["Succeeded", "Failed"].contains(pod.status?.phase ?? "")
        let places = Self.places(pod)
        pods[pod.metadata.uid ?? ""] = places.isEmpty ? nil : PodUse(places: places, isFinished: isFinished)
        return !isFinished
    }

    private mutating func use(_ pod: Pod, at now: UTCTime) {
        for place in Self.places(pod) { due[place] = max(due[place] ?? now, now) }
    }

    static func places(_ pod: Pod) -> Set<Place> {
        let claims = (pod.spec?.volumes ?? []).compactMap(\.persistentVolumeClaim?.claimName)
        return Set(claims.map { Place(namespace: pod.metadata.namespace ?? "", claim: $0) })
    }

    private var inUse: Set<Place> { pods.values.reduce(into: []) { if !$1.isFinished { $0.formUnion($1.places) } } }

    // MARK: Recording

    /// A pod that runs quietly for days uses its disks all the time. Another process may have said so since `last`.
    mutating func refresh(at now: UTCTime, unlessSince last: UTCTime) {
        for place in inUse {
            guard let disk = disks[place], disk.lastUsage.map({ $0 < last }) ?? true else { continue }
            due[place] = max(due[place] ?? now, now)
        }
    }

    /// The uses that are to be recorded now. What is no disk is forgotten after a while; what another process has recorded, at once.
    mutating func takeDue(at now: UTCTime) -> [Use] {
        var uses: [Use] = []
        for (place, time) in due {
            if let disk = disks[place] {
                due[place] = nil
                if disk.lastUsage.map({ $0 < time }) ?? true { uses.append(Use(disk: disk, time: now)) }
            } else if now.seconds(since: time) > Self.patience {
                due[place] = nil
            }
        }
        return uses
    }

    /// What could not be recorded is to be.
    mutating func giveBack(_ use: Use) {
        let place = Place(namespace: use.disk.namespace, claim: use.disk.claim.name)
        due[place] = max(due[place] ?? use.time, use.time)
    }

    var hasDue: Bool { due.keys.contains { disks[$0] != nil } }

    // MARK: Life spans

    /// Disks that nothing uses and whose time has passed.
    func expired(at now: UTCTime) -> [Disk] {
        let used = inUse
        return disks.filter { place, disk in disk.expiry.map { $0 < now } ?? false && !used.contains(place) && due[place] == nil }
            .map(\.value)
    }

    /// When the next one's time passes.
    func nextExpiry(after now: UTCTime) -> UTCTime? {
        let used = inUse
        return disks.compactMap { place, disk in used.contains(place) ? nil : disk.expiry }.filter { $0 >= now }.min()
    }
}
