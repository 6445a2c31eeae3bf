import PlatformModel
import Testing

@testable import IngressAuthService

/// Which hosts are protected, and by which name they are known.
struct HostTests {
    @Test(arguments: [
        "trainer--859b431f56.jobs.default.org.example.org", "TRAINER--859B431F56.Jobs.Default.Org.Example.Org",
        "trainer--859b431f56.jobs.default.org.example.org.", "trainer--859b431f56.jobs.default.org.example.org:443",
        "trainer--859b431f56.jobs.default.org.example.org.:8443",
    ])
    func oneHostInManyForms(_ received: String) {
        #expect(HostName(received)?.text == "trainer--859b431f56.jobs.default.org.example.org")
    }

    @Test(arguments: [
        "", ".", ":80", "127.0.0.1", "127.0.0.1:80", "[::1]", "[::1]:80", "::1", "user@a.example.org", "a b.example.org", "a.example.org\t",
        "a\u{0}.example.org", "bücher.example.org", "a..example.org", ".example.org", "a.example.org..", "a.example.org:",
        "a.example.org:http",
        "a.example.org:123456", "a/b.example.org", "a\\b.example.org", "a?.example.org", "a#.example.org", "a%2e.example.org", "0x7f",
        "1.2.3.0x4", "2130706433", "a,b.example.org", String(repeating: "a.", count: 127) + "example",
    ])
    func noHost(_ received: String) { #expect(HostName(received) == nil, "\(received)") }

    private func zone(_ template: String, kind: Zone.Kind = .jobs, isSecure: Bool = true) throws -> Zone {
        try #require(
            Zone(kind, template: template, subject: kind == .jobs ? "job_id" : nil, cluster: "default", isSecure: isSecure), "\(template)")
    }

    private func subject(_ zone: Zone, _ host: String) -> String? { HostName(host).flatMap { zone.subject(of: $0) } }

    @Test func labelsAreMatchedWhole() throws {
        let zone = try zone("{job_id}.jobs.default.org.example.org")
        let label63 = String(repeating: "a", count: 63)
        for label in ["a", "job-1", "a--b--c", "a---b", "--hash".dropFirst(2) + "", "xn--johndoe", label63] {
            #expect(subject(zone, "\(label).jobs.default.org.example.org") == label)
        }
        for host in [
            "jobs.default.org.example.org", "a.b.jobs.default.org.example.org", "a.jobs.default.org.example.org.evil.example",
            "a.xjobs.default.org.example.org", "a-jobs.default.org.example.org", "evil.example", "localhost",
            "\(label63)a.jobs.default.org.example.org", "-a.jobs.default.org.example.org", "a-.jobs.default.org.example.org",
            "--hash.jobs.default.org.example.org", "name--.jobs.default.org.example.org", "a_b.jobs.default.org.example.org",
            "a.jobs.default.org.example.org-evil.example", "a.jobs.default.org.example.orgx",
        ] { #expect(subject(zone, host) == nil, "\(host)") }
    }

    @Test func templatesHaveOneSubject() throws {
        let namespaced = try zone("{job_id}.{namespace}.jobs.example.org")
        #expect(subject(namespaced, "job-1.platform--a--b--c.jobs.example.org") == "job-1")
        let local = try zone("{job_id}.jobs.default.localhost:8080", isSecure: false)
        #expect(local.port == 8080 && subject(local, "a.jobs.default.localhost:8080") == "a")
        let place = PlacedHost(zone: local, host: try #require(HostName("a.jobs.default.localhost")), subject: "a")
        #expect(place.origin == "http://a.jobs.default.localhost:8080")
        #expect(try zone("{job_id}.jobs.example.org:443").port == nil)
        #expect(subject(try zone("{anything}.apps.example.org.", kind: .apps), "a--b.apps.example.org") == "a--b")
        for bad in [
            "jobs.example.org", "{namespace}.jobs.example.org", "{job_id}.{job_id}.example.org", "x{job_id}.example.org", "{job_id}", "",
        ] {
            #expect(Zone(.jobs, template: bad, subject: "job_id", cluster: "c", isSecure: true) == nil, "\(bad)")
        }
    }

    @Test func theZonesOfACluster() throws {
        let cluster = ClusterDocument(
            blank: try ClusterName("default"), dnsName: "default.org.example.org", createdAt: UTCTime(microseconds: 0))
        let zones = Zone.zones(of: cluster, platformHosts: ["grafana", "metrics"])
        #expect(zones.map(\.kind) == [.platform, .platform, .jobs, .apps])
        #expect(subject(zones[0], "grafana.default.org.example.org") == "")
        #expect(subject(zones[0], "x.grafana.default.org.example.org") == nil)
        let bare = ClusterDocument(blank: try ClusterName("default"), dnsName: "not-used", createdAt: UTCTime(microseconds: 0))
        #expect(Zone.zones(of: bare, platformHosts: ["grafana"]).map(\.kind) == [.jobs, .apps])
    }
}
