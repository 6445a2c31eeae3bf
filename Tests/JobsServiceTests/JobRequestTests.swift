import PlatformModel
import Testing

@testable import JobsService

/// The checks of a request body, as tables (jobs-api.md 21).
@Suite struct JobRequestTests {
    private func rules(flat: Bool = false) throws -> JobRequestRules {
        let document = try Fixture.document()
        return JobRequestRules(
            scope: JobScope(cluster: Fixture.cluster, org: "acme", project: "proj"), orchestrator: document.orchestrator,
            schedules: document.energy.schedules.map(\.name), preset: flat ? document.orchestrator.resourcePresets[0] : nil)
    }

    private func parse(_ text: String) throws -> OrderedJSON { try OrderedJSONParser.parse(text.utf8) }

    /// A valid nested body with members added at top level and in the container.
    private func nested(_ top: String = "", container: String = "", resources: String = #""cpu": 0.1, "memory": 33554432"#) -> String {
        #"{"container": {"image": "ubuntu", "resources": {\#(resources)}\#(container.isEmpty ? "" : ", " + container)}"#
            + (top.isEmpty ? "" : ", " + top) + "}"
    }

    private func request(_ text: String, flat: Bool = false) throws -> JobRequest {
        try JobRequest(parse(text), rules: rules(flat: flat))
    }

    private func refused(_ text: String, flat: Bool = false) -> String? {
        do {
            _ = try request(text, flat: flat)
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test(arguments: ["abc-d", "a-b-c-d", "ab3d", "abc3", "abc", String(repeating: "a", count: 40)])
    func names(name: String) throws {
        #expect(try request(nested(#""name": "\#(name)""#)).name == name)
    }

    @Test(arguments: [
        ("a", "shorter than 3 characters"), ("ab", "shorter than 3 characters"), ("", "blank value is not allowed"),
        (String(repeating: "a", count: 41), "longer than 40 characters"), ("-abc", "does not match pattern"),
        ("abc-", "does not match pattern"), ("a--bc", "does not match pattern"), ("a_bc", "does not match pattern"),
        ("a.bc", "does not match pattern"), ("Abc", "does not match pattern"), ("0abc", "does not match pattern"),
        ("abc\\n", "does not match pattern"), ("Invalid_job_name!", "does not match pattern"),
    ])
    func badNames(name: String, text: String) throws {
        let refusal = try #require(refused(nested(#""name": "\#(name)""#)))
        #expect(refusal.hasPrefix(#"{'name': DataError("{0: DataError('value should be None'), 1: DataError('"#))
        #expect(refusal.contains(text))
    }

    @Test(arguments: [
        (#""name": null"#, nil), (#""tags": ["a", "foo:bar-baz123", "pre.org/foo:bar-baz123"]"#, nil), (#""tags": [""]"#, "blank"),
        (#""tags": ["a b"]"#, "{'tags': DataError({0: DataError("), (#""tags": "x""#, "value is not a list"),
        (#""restart_policy": "unknown""#, "{'restart_policy': DataError(\"value doesn't match any variant\")}"),
        (#""priority": "huge""#, "{'priority': DataError(\"value doesn't match any variant\")}"),
        (#""schedule_timeout": 90"#, nil), (#""schedule_timeout": 0.5"#, "value is less than 1"),
        (#""schedule_timeout": 2592000"#, "value should be less than 2592000"),
        (#""schedule_timeout": "90""#, "value can't be converted to float"),
        (#""schedule_timeout": 90, "scheduler_enabled": true"#, "schedule_timeout is not allowed for scheduled jobs"),
        (#""schedule_timeout": 90, "is_preemptible": true, "scheduler_enabled": false"#, nil),
        (#""max_run_time_minutes": 0"#, "value is less than 1"), (#""max_run_time_minutes": 10.0"#, nil),
        (#""max_run_time_minutes": 1.5"#, "value is not int"), (#""max_run_time_minutes": "10""#, "value is not int"),
        (#""max_run_time_minutes": true"#, "value is not int"), (#""description": """#, "blank value is not allowed"),
        (#""description": null"#, "value is not a string"), (#""pass_config": 1"#, "value should be True or False"),
        (#""energy_schedule_name": "green""#, "energy_schedule_name requires scheduler_enabled"),
        (#""energy_schedule_name": "green", "scheduler_enabled": true"#, nil),
        (#""energy_schedule_name": "red", "scheduler_enabled": true"#, "doesn't match any"),
        (#""cluster_name": "other""#, "value is not exactly 'test-cluster'"), (#""nonsense": 1"#, "nonsense is not allowed key"),
        (#""image": "x""#, "image is not allowed key"),
    ])
    func topLevel(member: String, text: String?) {
        let refusal = refused(nested(member))
        if let text { #expect(refusal?.contains(text) == true, "\(refusal ?? "accepted")") } else { #expect(refusal == nil) }
    }

    @Test(arguments: [
        (#""cpu": 0.1, "memory_mb": 128"#, nil), (#""cpu": 0.1"#, "Either memory or memory_mb should be present"),
        (#""memory": 33554432"#, "'cpu': DataError('is required')"), (#""cpu": "1", "memory": 33554432"#, "can't be converted to float"),
        (#""cpu": 0.05, "memory": 33554432"#, "value is less than 0.1"), (#""cpu": 1, "memory": 1000"#, "value is less than 16777216"),
        (#""cpu": 1, "memory": 33554432, "nvidia_gpu": 0"#, nil), (#""cpu": 1, "memory": 33554432, "amd_gpu": -1"#, "'amd_gpu'"),
        (#""cpu": 1, "memory": 33554432, "nvidia_gpu_model": "H100""#, nil),
        (#""cpu": 1, "memory": 33554432, "gpu": 1"#, "gpu is not allowed key"),
        (#""cpu": 1, "memory": 33554432, "tpu": {"type": "v2-8", "software_version": "1.14"}"#, nil),
        (#""cpu": 1, "memory": 33554432, "tpu": {"type": "v9", "software_version": "1.14"}"#, "'type': DataError(\"value doesn't match"),
        (#""cpu": 1, "memory": 33554432, "nvidia_gpu": 1, "tpu": {"type": "v2-8", "software_version": "1.14"}"#, "tpu is not allowed key"),
        (#""cpu": 1, "memory": 33554432, "nvidia_migs": {"1g.5gb": {"count": 1, "model": "A100"}}, "amd_gpu": 1, "intel_gpu": 2"#, nil),
    ])
    func resources(members: String, text: String?) {
        let refusal = refused(nested(resources: members))
        if let text { #expect(refusal?.contains(text) == true, "\(refusal ?? "accepted")") } else { #expect(refusal == nil) }
    }

    @Test func everythingWrongIsNamedAtOnce() throws {
        #expect(refused("{}") == "{'container': DataError('is required')}")
        let text = try #require(refused(#"{"container": {"resources": {}}, "name": "A", "tags": 5}"#))
        for part in ["'name'", "'tags'", "'container'", "'image': DataError('is required')", "'cpu': DataError('is required')"] {
            #expect(text.contains(part), "\(text)")
        }
        #expect(refused("[]") == "value is not a dict")
    }

    @Test(arguments: [
        (#""entrypoint": "\"""#, "invalid command format"), (#""command": "\"""#, "invalid command format"),
        (#""command": "   ""#, nil), (#""env": {"A": ""}"#, nil), (#""env": {"": "x"}"#, "blank"), (#""env": {"A": 1}"#, "'A'"),
        (#""http": {}"#, "'port': DataError('is required')"), (#""http": {"port": 65536}"#, "value is greater than 65535"),
        (#""http": {"port": 0}"#, nil), (#""working_dir": "/a/../b""#, nil), (#""working_dir": "a""#, "'working_dir'"),
        (
            #""secret_volumes": [{"src_secret_uri": "secret://test-cluster/acme/proj/key", "dst_path": "/s", "read_only": true}]"#,
            "read_only is not allowed key"
        ),
        (#""secret_env": {"S": "secret://test-cluster/key"}"#, "Invalid URI path"),
        (#""secret_env": {"S": "secret://other/acme/key"}"#, "Invalid URI cluster: 'other' != 'test-cluster'"),
    ])
    func container(member: String, text: String?) {
        let refusal = refused(nested(container: member))
        if let text { #expect(refusal?.contains(text) == true, "\(refusal ?? "accepted")") } else { #expect(refusal == nil) }
    }

    @Test(arguments: [
        ("storage://test-cluster/acme/proj/a b", "storage://test-cluster/acme/proj/a%20b"),
        ("storage://test-cluster", "storage://test-cluster"),
        ("storage://test-cluster/path/to//dir", "storage://test-cluster/path/to//dir"),
        ("storage://test-cluster/path/to/./dir", "storage://test-cluster/path/to/dir"),
        ("storage://test-cluster/path/to/%2e/dir", "storage://test-cluster/path/to/dir"),
        ("storage://test-cluster/path/to%2fdir", "storage://test-cluster/path/to/dir"),
        ("storage://test-cluster/ü/", "storage://test-cluster/%C3%BC/"),
    ])
    func storageURIs(uri: String, canonical: String) throws {
        #expect(try MountURI.storage(.string(uri), cluster: "test-cluster") == canonical)
    }

    @Test(arguments: [
        ("wrong-scheme://test-cluster/a", "Invalid URI scheme: 'wrong-scheme'"),
        ("storage://wrong-cluster/a", "Invalid URI cluster: 'wrong-cluster' != 'test-cluster'"),
        ("storage:", "Invalid URI cluster: ''"), ("storage:/", "Invalid URI cluster: ''"), ("storage://", "Invalid URI cluster: ''"),
        ("storage:/path", "Invalid URI cluster: ''"), ("storage:path", "Invalid URI cluster: ''"),
        ("storage://test-cluster/a/..", "Invalid path"), ("storage://test-cluster/%2e./a", "Invalid path"),
        ("storage://test-cluster/.%2E/a", "Invalid path"), ("storage://test-cluster/..%2fa", "Invalid path"),
        ("storage://test-cluster/a#", "Fragment part is not allowed in URI"), ("storage://test-cluster/a#f", "Fragment part"),
        ("storage://test-cluster/a?", "Query part is not allowed in URI"), ("storage://test-cluster/a?k=v", "Query part"),
        ("storage://test-cluster/%00", "Invalid path"),
    ])
    func badStorageURIs(uri: String, text: String) {
        let error = #expect(throws: Problem.self) { try MountURI.storage(.string(uri), cluster: "test-cluster") }
        #expect(error?.description.hasPrefix(text) == true)
    }

    @Test func oneLevelOfEscapesIsDecoded() throws {
        let disk = try MountURI.owned(
            .string("disk://test-cluster/acme/proj/test-disk%252d"), scheme: .disk, cluster: "test-cluster")
        #expect(disk.segments.last == "test-disk%2d")
        #expect(disk.canonical == "disk://test-cluster/acme/proj/test-disk%252d")
    }

    @Test(arguments: [("/d//e/./f/", "/d/e/f"), ("/", "/"), ("/a", "/a")]) func mountPaths(path: String, normal: String) throws {
        #expect(try MountPath.check(.string(path)) == normal)
    }

    @Test func mountsOfOneListMustDiffer() throws {
        let volume = #"{"src_storage_uri": "storage://test-cluster/a", "dst_path": "/d"}"#
        let again = #"{"src_storage_uri": "storage://test-cluster/b", "dst_path": "/d/", "read_only": false}"#
        let text = try #require(refused(nested(container: #""volumes": [\#(volume), \#(again)]"#)))
        #expect(text.contains("destination path '/d' was encountered multiple times"))
        let one = try request(nested(container: #""volumes": [\#(volume)]"#))
        #expect(one.spec.container.volumes == [.init(sourceURI: "storage://test-cluster/a", path: "/d", readOnly: true)])
        #expect(
            refused(nested(container: #""volumes": [{"src_storage_uri": "storage://test-cluster/a", "dst_path": "d"}]"#))?
                .contains("Mount path must be absolute: 'd'") == true)
    }

    @Test func theFlatFormTakesItsResourcesFromThePreset() throws {
        let flat = try request(#"{"image": "busybox", "resources": {"shm": true}, "scheduler_enabled": "ignored"}"#, flat: true)
        #expect(flat.spec.container.resources == JobResources(cpu: 0.5, memory: 64 << 20, shm: true))
        #expect(flat.spec.presetName == "cpu-small" && flat.spec.fromPreset && !flat.spec.schedulerEnabled)
        #expect(try request(#"{"image": "busybox"}"#, flat: true).spec.container.resources.shm == false)
        #expect(refused(nested(), flat: true)?.contains("container is not allowed key") == true)
        #expect(refused(#"{"image": "x"}"#)?.contains("'container': DataError('is required')") == true)
    }

    @Test(arguments: [
        (#"{"resources": {"cpu": 1}}"#, "Both preset and resources are not allowed"), (#"{"resources": {}}"#, "cpu-small"),
        (#"{"container": {"resources": {"cpu": 1}}}"#, "Both preset and resources are not allowed"),
        (#"{"resources": null}"#, "value is not a dict"), (#"{"preset_name": "nope"}"#, "Preset was not found"),
        (#"{"preset_name": null}"#, "cpu-small"), (#"{"preset_name": ""}"#, "cpu-small"), (#"{"preset_name": "gpu"}"#, "gpu"),
    ])
    func presets(body: String, outcome: String) throws {
        let presets = try Fixture.document().orchestrator.resourcePresets
        do {
            #expect(try PresetChoice.resolve(parse(body), presets: presets).name == outcome)
        } catch {
            #expect("\(error)".contains(outcome))
        }
        #expect(throws: Problem.message("At least one preset is required to run a job")) {
            try PresetChoice.resolve(parse("{}"), presets: [])
        }
    }

    @Test func variablesKeepTheirOrder() throws {
        let job = try request(nested(container: #""env": {"Z": "1", "A": "2", "M": "3"}"#))
        #expect(job.spec.environmentOrder == ["Z", "A", "M"])
        #expect(job.spec.container.env == ["Z": "1", "A": "2", "M": "3"])
    }

    @Test func permissionsAreAskedInTheContractsOrder() throws {
        let job = try request(
            nested(
                container: """
                    "volumes": [{"src_storage_uri": "storage://test-cluster/acme//proj/", "dst_path": "/a"},
                        {"src_storage_uri": "storage://test-cluster", "dst_path": "/b", "read_only": false}],
                    "secret_env": {"S": "secret://test-cluster/acme/proj/key"},
                    "secret_volumes": [{"src_secret_uri": "secret://test-cluster/acme/proj/key", "dst_path": "/s"}],
                    "disk_volumes": [{"src_disk_uri": "disk://test-cluster/acme/proj/disk-1", "dst_path": "/d", "read_only": false}]
                    """))
        var container = job.spec.container
        container.image = "registry.example.org/acme/proj/img%2d:v1"
        let asked = JobPermissions.creating(
            container, in: JobScope(cluster: "test-cluster", org: "acme", project: "proj"), registry: "https://registry.example.org")
        #expect(
            asked.map(\.description) == [
                "write on job://test-cluster/acme/proj", "read on image://test-cluster/acme/proj/img%252d",
                "read on secret://test-cluster/acme/proj/key", "read on storage://test-cluster/acme/proj",
                "write on storage://test-cluster",
                "write on disk://test-cluster/acme/proj/disk-1",
            ])
        #expect(JobPermissions.imageURI("ubuntu:20.10", registry: "https://registry.example.org", cluster: "c") == nil)
        #expect(
            JobPermissions.imageURI("reg.io:5000/a/b@sha256:abc", registry: "http://reg.io:5000", cluster: "c")?.canonical
                == "image://c/a/b@sha256")
    }

    @Test(arguments: [
        "", "{", "[1,]", "{\"a\": NaN}", "{\"a\": Infinity}", "{\"a\": 01}", "\"\\u0000\"", "\"a", "{} x", "1e999", "\"\u{1}\"",
    ])
    func malformedJSON(text: String) {
        #expect(throws: OrderedJSONParser.Failure.self) { try OrderedJSONParser.parse(text.utf8) }
    }

    @Test func deepNestingIsRefused() {
        let deep = String(repeating: "[", count: 100_000)
        #expect(throws: OrderedJSONParser.Failure.self) { try OrderedJSONParser.parse(deep.utf8) }
    }

    @Test func wellFormedJSON() throws {
        #expect(
            try parse(#" {"a": [1, 1.5, -2e3, true, null, "\u00e9\ud83d\ude00\n"], "a": 2} "#)
                == .object([.init(key: "a", value: .integer(2))]))
        #expect(try parse(#"["\u00e9\ud83d\ude00\n"]"#) == .array([.string("é😀\n")]))
    }
}
