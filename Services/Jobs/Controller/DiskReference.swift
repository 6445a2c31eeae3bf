import Kubernetes
import PlatformModel

/// A disk that a job refers to: `disk://<cluster>/<org>/<project>/<id>` (disk.md 14).
struct DiskReference: Hashable, Sendable {
    /// The name of its claim, which is looked for where the job is.
    let id: String

    init(_ volume: JobContainer.DiskVolume) { id = volume.sourceURI.segments.last ?? "" }

    /// Whether Kubernetes could have a claim of that name. (A name that it could not have is none of an object that is there.)
    var canBeNamed: Bool {
        let bytes = Array(id.utf8)
        func isLowerOrDigit(_ byte: UInt8) -> Bool {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        }
        guard (1...253).contains(bytes.count), isLowerOrDigit(bytes[0]), isLowerOrDigit(bytes[bytes.count - 1]) else { return false }
        return bytes.allSatisfy { isLowerOrDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") }
    }

    /// A disk is the job's if either its project or its org is. One that is being removed is no disk any more.
    static func mayUse(_ claim: PersistentVolumeClaim, _ job: JobRecord) -> Bool {
        let labels = claim.metadata.labels
        guard claim.metadata.deletionTimestamp == nil, labels["platform.neuromation.io/disk-api-pvc-deleted"] == nil,
            labels["platform.apolo.us/disk-deleted"] == nil
        else { return false }
        if labels["platform.neuromation.io/project"] == job.project { return true }
        return labels["platform.neuromation.io/disk-api-org-name"].map { normalized($0) == normalized(job.org) } ?? false
    }

    /// As in the names of namespaces: every run of white space, `_`, `:`, `/` or `\\` becomes one `-`; lower case.
    private static func normalized(_ text: String) -> String {
        text.split(omittingEmptySubsequences: true) { $0.isWhitespace || "_:/\\".contains($0) }.joined(separator: "-").lowercased()
    }
}
