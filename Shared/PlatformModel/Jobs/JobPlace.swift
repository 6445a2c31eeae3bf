import Crypto

/// What follows from the organization and project of a job: its hash, its Kubernetes namespace and its host names.
public struct JobPlace: Hashable, Sendable {
    public let org: String
    public let project: String

    public init(org: String, project: String) {
        self.org = org
        self.project = project
    }

    public init(_ org: OrgName, _ project: ProjectName) { self.init(org: org.text, project: project.text) }

    /// The first 5 bytes of SHA-256 over org and project without separator, as 10 hex digits.
    public var hash: String { Self.hex(org + project, digits: 10) }

    /// `platform--<org>--<project>--<24 hex digits>`, 63 characters at most: org and project are shortened evenly.
    public var namespace: String {
        var org = Self.normalized(self.org)
        var project = Self.normalized(self.project)
        let joined = "\(org)--\(project)"
        let hash = Self.hex(joined, digits: 24)
        if joined.count > 25 {
            let excess = max(0, org.count + project.count - 25)
            let share = Double(org.count) / Double(org.count + project.count) * Double(excess)
            let fromOrg = min(Int(share.rounded(.toNearestOrEven)), org.count - 1)
            org = String(org.dropLast(max(0, fromOrg)))
            project = String(project.prefix(max(1, project.count - (excess - fromOrg))))
        }
        return "platform--\(org)--\(project)--\(hash)"
    }

    /// `<name>--<hash>`: the label of a named job in host names and of its second Service.
    public func namedLabel(_ name: JobName) -> String { "\(name)--\(hash)" }

    /// `<id>.<namespace>`, or the same for the named label.
    public func internalHostname(_ label: String) -> String { "\(label).\(namespace)" }

    /// The public host name by the cluster's template, which holds `{job_id}` and perhaps `{namespace}`.
    public func publicHostname(_ label: String, template: String) -> String {
        template.replacing("{job_id}", with: label).replacing("{namespace}", with: namespace)
    }

    /// Every run of white space, `_`, `:`, `/` or `\` becomes one `-`; lower case.
    private static func normalized(_ text: String) -> String {
        var result = ""
        var inRun = false
        for character in text.trimming(where: \.isWhitespace).lowercased() {
            if character.isWhitespace || "_:/\\".contains(character) {
                if !inRun { result.append("-") }
                inRun = true
            } else {
                result.append(character)
                inRun = false
            }
        }
        return result
    }

    private static func hex(_ text: String, digits: Int) -> String {
        let digest = SHA256.hash(data: Array(text.utf8))
        return String(digest.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined().prefix(digits))
    }
}

extension String {
    fileprivate func trimming(where drop: (Character) -> Bool) -> String {
        var part = self[...].drop(while: drop)
        while let last = part.last, drop(last) { part.removeLast() }
        return String(part)
    }
}
