import Foundation
import PlatformModel

/// The rules of a configuration's addresses and host names (config.md 19, 7–10). Nothing here is ever connected to by this service.
enum AddressRules {
    static func check(_ document: ClusterDocument, changedFrom before: ClusterDocument) throws {
        let old = Dictionary(uniqueKeysWithValues: addresses(before))
        for (field, address) in addresses(document) where old[field] != address { try requireURL(address, field) }
        if document.dns.name != before.dns.name { try requireZone(document.dns.name) }
        if document.dns != before.dns { try checkRecords(document.dns) }
        if document.ingress.defaultCORSOrigins != before.ingress.defaultCORSOrigins {
            try checkOrigins(document.ingress.defaultCORSOrigins, "ingress.default_cors_origins")
        }
        if document.ingress.additionalCORSOrigins != before.ingress.additionalCORSOrigins {
            try checkOrigins(document.ingress.additionalCORSOrigins, "ingress.additional_cors_origins")
        }
        try checkTemplates(document, changedFrom: before)
    }

    private static func addresses(_ document: ClusterDocument) -> [(String, String)] {
        [
            ("storage.url", document.storage.url), ("registry.url", document.registry.url), ("monitoring.url", document.monitoring.url),
            ("secrets.url", document.secrets.url), ("metrics.url", document.metrics.url), ("grafana.url", document.grafana.url),
            ("prometheus.url", document.prometheus.url), ("disks.url", document.disks.url), ("buckets.url", document.buckets.url),
            ("apps.app_proxy_url", document.apps.appProxyURL),
        ] + (document.logoURL.map { [("logo_url", $0)] } ?? [])
    }

    private static func requireURL(_ text: String, _ field: String) throws {
        let url = URLComponents(string: text)
        try ClusterRules.require(
            ["http", "https"].contains(url?.scheme) && url?.host?.isEmpty == false && url?.user == nil && url?.password == nil, field,
            "'\(text)' is not an http or https URL")
    }

    private static func checkOrigins(_ origins: [String], _ field: String) throws {
        for origin in origins {
            let url = URLComponents(string: origin)
            let isBare = url?.path.isEmpty == true && url?.query == nil && url?.fragment == nil && url?.user == nil
            try ClusterRules.require(
                url?.scheme == "https" && isBare && isHost(url?.host ?? ""), field, "'\(origin)' is not https://host or https://host:port")
        }
    }

    private static func requireZone(_ name: String) throws {
        try ClusterRules.require(isHost(name), "dns.name", "'\(name)' is not a DNS name")
    }

    /// Records only below the cluster's own zone, each a list of addresses or an alias.
    private static func checkRecords(_ dns: DNSSection) throws {
        for (index, record) in dns.aRecords.enumerated() {
            let field = "dns.a_records[\(index)]"
            let name = record.name.hasSuffix(".") ? String(record.name.dropLast()) : record.name
            try ClusterRules.require(
                isHost(name.hasPrefix("*.") ? String(name.dropFirst(2)) : name) && isBelow(name, dns.name), "\(field).name",
                "'\(record.name)' is not below '\(dns.name)'")
            try ClusterRules.require(
                record.ips?.isEmpty == false || record.dnsName?.isEmpty == false, "\(field).ips", "either ips or dns_name is required")
        }
    }

    /// Hosts of jobs and apps lie below the cluster's DNS name, so that no cluster claims those of another.
    private static func checkTemplates(_ document: ClusterDocument, changedFrom before: ClusterDocument) throws {
        let template = document.orchestrator.jobHostnameTemplate
        if template != before.orchestrator.jobHostnameTemplate {
            let field = "orchestrator.job_hostname_template"
            try ClusterRules.require(template.contains("{job_id}"), field, "must contain {job_id}")
            try requireBelow(template, document.dns, field)
        }
        if document.apps.appsHostnameTemplates != before.apps.appsHostnameTemplates {
            for template in document.apps.appsHostnameTemplates {
                try requireBelow(template, document.dns, "apps.apps_hostname_templates")
            }
        }
    }

    private static func requireBelow(_ template: String, _ dns: DNSSection, _ field: String) throws {
        try ClusterRules.require(dns.name != DNSSection.none, field, "a cluster without dns.name has no hosts to give")
        // A port belongs to the address that people see, not to the host.
        let parts = template.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let isHost = parts.count == 1 || Int(parts[1]).map { (1...65_535).contains($0) } == true
        try ClusterRules.require(
            isHost && parts.first.map { isBelow(String($0), dns.name) } == true, field, "'\(template)' is not below '\(dns.name)'")
    }

    private static func isBelow(_ host: String, _ zone: String) -> Bool {
        let (host, zone) = (host.lowercased(), zone.lowercased())
        return host == zone || host.hasSuffix("." + zone)
    }

    /// Letters, digits and dashes between dots, as DNS has it; underscores are in use.
    private static func isHost(_ text: String) -> Bool {
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        return text.utf8.count <= 253
            && labels.allSatisfy { label in
                (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                    && label.unicodeScalars.allSatisfy {
                        $0.isASCII && ($0.properties.isAlphabetic || $0.properties.numericType != nil || "-_".unicodeScalars.contains($0))
                    }
            }
    }
}
