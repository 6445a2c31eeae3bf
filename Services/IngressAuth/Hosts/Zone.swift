import PlatformModel

/// A family of hosts that this service protects. A host belongs to it by whole labels, never by the end of its text.
struct Zone: Hashable, Sendable {
    enum Kind: Hashable, Sendable { case jobs, apps, platform }

    enum Label: Hashable, Sendable {
        case literal(String)
        /// The one that names the job or app.
        case subject
        /// Any other placeholder.
        case anything
    }

    let kind: Kind
    let cluster: String
    let labels: [Label]
    /// Of the gateway; nil is the usual one of the scheme.
    let port: Int?
    /// Whether its hosts are served over https.
    let isSecure: Bool

    /// The subject's label, empty for a platform host; nil if the host is not in the zone.
    func subject(of host: HostName) -> String? {
        let given = host.labels
        guard given.count == labels.count else { return nil }
        var subject = ""
        for (label, text) in zip(labels, given) {
            switch label {
            case .literal(let literal): guard text == literal else { return nil }
            case .anything: guard Self.isLabel(text) else { return nil }
            case .subject:
                guard Self.isLabel(text) else { return nil }
                subject = String(text)
            }
        }
        return subject
    }

    /// `[a-z0-9]([a-z0-9-]*[a-z0-9])?`, at most 63 characters.
    private static func isLabel(_ text: Substring) -> Bool {
        func isInner(_ byte: UInt8) -> Bool {
            HostName.isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || byte == UInt8(ascii: "-")
        }
        return text.utf8.count <= 63 && text.utf8.first != UInt8(ascii: "-") && text.utf8.last != UInt8(ascii: "-")
            && text.utf8.allSatisfy(isInner)
    }
}

/// A host in its zone.
struct PlacedHost: Hashable, Sendable {
    let zone: Zone
    let host: HostName
    /// The label in place of `{job_id}` or `{app_name}`.
    let subject: String

    /// Scheme, host and port as a browser has them.
    var origin: String { "\(zone.isSecure ? "https" : "http")://\(host)" + (zone.port.map { ":\($0)" } ?? "") }
}

extension Zone {
    /// The zone of a template such as `{job_id}.jobs.example.org:8080`; nil for one that has no `subject` of its own or is no host name.
    init?(_ kind: Kind, template: String, subject: String?, cluster: String, isSecure: Bool) {
        var text = template.lowercased()
        var port: Int?
        if let colon = text.lastIndex(of: ":"), let number = Int(text[text.index(after: colon)...]), (1...65535).contains(number) {
            port = number == (isSecure ? 443 : 80) ? nil : number
            text = String(text[..<colon])
        }
        if text.hasSuffix(".") { text.removeLast() }
        var labels: [Label] = []
        for part in text.split(separator: ".", omittingEmptySubsequences: false) {
            if part.hasPrefix("{"), part.hasSuffix("}") {
                let name = part.dropFirst().dropLast()
                labels.append(subject == nil || subject.map { $0 == name } == true ? .subject : .anything)
            } else {
                guard HostName(part + ".x") != nil, !part.contains(where: { "{}:".contains($0) }) else { return nil }
                labels.append(.literal(String(part)))
            }
        }
        guard labels.count(where: { $0 == .subject }) == (kind == .platform ? 0 : 1),
            labels.last.map({ $0 != .subject && $0 != .anything }) == true
        else { return nil }
        self.init(kind: kind, cluster: cluster, labels: labels, port: port, isSecure: isSecure)
    }

    /// The zones of a cluster.
    /// - Parameter platformHosts: names below the cluster's DNS name where being signed in is enough (`grafana`, `metrics`).
    static func zones(of cluster: ClusterDocument, platformHosts: [String]) -> [Zone] {
        let name = cluster.name.text
        let isSecure = cluster.orchestrator.isHTTPIngressSecure
        var zones: [Zone] = []
        let dns = cluster.dns.name.lowercased()
        // A cluster without a DNS name has a placeholder of one word.
        if dns.contains(".") {
            zones += platformHosts.compactMap { Zone(.platform, template: "\($0).\(dns)", subject: "", cluster: name, isSecure: isSecure) }
        }
        if let jobs = Zone(
            .jobs, template: cluster.orchestrator.jobHostnameTemplate, subject: "job_id", cluster: name, isSecure: isSecure)
        {
            zones.append(jobs)
        }
        zones += cluster.apps.appsHostnameTemplates.compactMap {
            Zone(.apps, template: $0, subject: nil, cluster: name, isSecure: isSecure)
        }
        return zones
    }
}
