import Foundation
import Kubernetes
import PlatformModel
import ServiceKit
import Testing

@testable import JobsService

/// The objects of a job, compared with those that the contract spells out.
@Suite struct ControllerPodTests {
    private func settings() -> ControllerSettings {
        var settings = ControllerSettings(registryPassword: Secret("token"))
        settings.imagePullSecret = "extra-pull"
        return settings
    }

    private func document() throws -> ClusterDocument {
        var document = try Fixture.document()
        document.orchestrator.jobHostnameTemplate = "{job_id}.jobs.default.example.org:8080"
        document.orchestrator.resourcePoolTypes = [
            ResourcePoolType(name: "cpu-pool", cpu: 4, memory: 4 << 30),
            ResourcePoolType(name: "h100-pool", cpu: 96, memory: 1 << 40, nvidiaGPU: GPU(count: 8, model: "H100"), isPreemptible: true),
        ]
        document.orchestrator.resourcePresets = [
            ResourcePreset(
                name: "gpu-1", creditsPerHour: Money(1), cpu: 4.5, memory: 16 << 30, preemptibleNode: true,
                availableResourcePoolNames: ["h100-pool"]),
            ResourcePreset(name: "nowhere", creditsPerHour: Money(1), cpu: 1, memory: 1 << 30),
        ]
        return document
    }

    private func fullJob() throws -> JobRecord {
        func secret(_ key: String) throws -> ResourceURI { try ResourceURI("secret://default/acme/vision/\(key)") }
        func disk(_ id: String) throws -> ResourceURI { try ResourceURI("disk://default/acme/vision/\(id)") }
        var container = JobContainer(
            image: "registry.default.example.org/acme/vision/train:v1", entrypoint: "bash -c", command: "'python train.py --lr 1e-3'",
            env: ["EPOCHS": "3", "NEURO_JOB_ID": "forged"],
            resources: JobResources(cpu: 4.5, memory: 16 << 30, nvidiaGPU: 1, nvidiaGPUModel: "H100", shm: true))
        container.http = .init(port: 8888, requiresAuth: true)
        container.tty = true
        container.workingDir = "/workspace"
        container.secretEnv = ["API_KEY": try secret("api-key")]
        container.secretVolumes = [.init(sourceURI: try secret("ssh-key"), path: "/root/.ssh/id")]
        container.diskVolumes = [
            .init(sourceURI: try disk("disk-aaaa"), path: "/scratch", readOnly: false),
            .init(sourceURI: try disk("disk-bbbb"), path: "/ro", readOnly: true),
            .init(sourceURI: try disk("disk-aaaa"), path: "/scratch2", readOnly: true),
        ]
        container.volumes = [.init(sourceURI: "storage://default/acme/vision/data", path: "/data", readOnly: true)]
        var spec = JobSpec(container: container)
        spec.presetName = "gpu-1"
        spec.privileged = true
        spec.environmentOrder = ["EPOCHS", "NEURO_JOB_ID", "API_KEY"]
        return Fixture.draft(name: "trainer", owner: "alice/service-accounts/bot", org: "acme", project: "vision", spec: spec)
    }

    private func json(_ value: some Encodable) throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(value))
    }

    @Test func theContractsCompletePod() throws {
        let job = try fullJob()
        let pod = try PodBuilder(job: job, cluster: try document(), settings: settings()).pod()
        let expected = try JSONDecoder().decode(
            JSONValue.self,
            from: Data(Self.completePod.replacing("<job>", with: job.id.text).replacing("<cluster>", with: job.cluster).utf8))
        let made = try json(pod)
        #expect(made["metadata"] == expected["metadata"])
        for key in ["automountServiceAccountToken", "restartPolicy", "imagePullSecrets", "tolerations", "affinity", "volumes"] {
            #expect(made["spec"]?[key] == expected["spec"]?[key], "\(key)")
        }
        let container = try #require(made["spec"]?["containers"]?[0]?.object)
        let wanted = try #require(expected["spec"]?["containers"]?[0]?.object)
        for key in Set(container.keys).union(wanted.keys) { #expect(container[key] == wanted[key], "\(key)") }
    }

    @Test func aMinimalJobSetsNothingElse() throws {
        var job = Fixture.draft()
        job.attempt = 2
        let pod = try json(
            try PodBuilder(job: job, cluster: try document(), settings: ControllerSettings(registryPassword: Secret("t"))).pod())
        #expect(pod["metadata"]?["name"]?.string == "\(job.id)-2")
        #expect(pod["metadata"]?["annotations"] == ["platform.apolo.us/inject-storage": "[]"])
        let container = try #require(pod["spec"]?["containers"]?[0]?.object)
        #expect(
            Set(container.keys) == ["name", "image", "imagePullPolicy", "env", "resources", "stdin", "terminationMessagePolicy"])
        #expect(container["name"]?.string == job.id.text)
        #expect(pod["spec"]?["restartPolicy"] == "Never")
        #expect(pod["spec"]?["volumes"] == nil)
    }

    @Test func aJobThatFitsNowhereIsRefused() throws {
        func refusal(_ change: (inout JobSpec) -> Void) throws -> JobStartRefusal? {
            var spec = Fixture.spec()
            change(&spec)
            let builder = PodBuilder(job: Fixture.draft(spec: spec), cluster: try document(), settings: settings())
            return #expect(throws: JobStartRefusal.self) { try builder.pod() }
        }
        #expect(try refusal { $0.presetName = "nowhere" } == .unschedulable)
        #expect(try refusal { $0.presetName = "unknown" } == .unschedulable)
        #expect(try refusal { $0.container.resources.cpu = 1000 } == .unschedulable)
        #expect(try refusal { $0.container.command = "'unbalanced" } == .invalidCommand)
        #expect(JobStartRefusal.missingSecrets(["b", "a"]).report.reason == "Missing secrets: 'a', 'b'")
        #expect(
            JobStartRefusal.unschedulable.report
                == .init(.failed, reason: "Job cannot be scheduled", description: "The job could not be started."))
    }

    @Test func aJobForAWholeNodeAsksForLess() throws {
        let pools = [ResourcePoolType(name: "p", memory: 1_025_000_000)]
        let made = try PodResources.requirements(JobResources(cpu: 0.5, memory: 1_025_000_000), pools: pools)
        #expect(made.requests == ["cpu": "500m", "memory": "820000000"])
        #expect(made.limits == ["cpu": "500m", "memory": "1025000000"])
        for type in ["v2", "v2-nan", "v2-", "-"] {
            let wanted = JobResources(cpu: 1, memory: 1, tpu: .init(type: type, softwareVersion: "1.14"))
            #expect(throws: JobStartRefusal.invalidTPU(type)) { try PodResources.requirements(wanted, pools: pools) }
        }
    }

    @Test func theNetworkOfANamedJob() throws {
        let job = try fullJob()
        let labels = PodBuilder(job: job, cluster: try document(), settings: settings()).labels
        let network = JobNetwork(job: job, cluster: try document(), settings: settings(), labels: labels)
        #expect(network.hosts == ["\(job.id).jobs.default.example.org", "trainer--859b431f56.jobs.default.example.org"])
        let ingress = try #require(network.ingress)
        #expect(
            ingress.metadata.annotations == [
                "traefik.ingress.kubernetes.io/router.middlewares": "error-page@kubernetescrd,ingress-auth@kubernetescrd"
            ])
        #expect(ingress.metadata.labels["platform.apolo.us/job-name"] == "trainer")
        #expect(ingress.spec?.ingressClassName == "traefik")
        let service = try json(network.service)
        #expect(service["spec"]?["clusterIP"] == "None")
        #expect(service["spec"]?["ports"] == [["name": "http", "port": 80, "targetPort": 8888]])
        #expect(network.namedService?.metadata.name == "trainer--859b431f56")
    }

    @Test func aProtectedJobIsPublishedOnlyWhereItIsProtected() throws {
        func ingress(requiresAuth: Bool, _ settings: ControllerSettings) throws -> Ingress? {
            var spec = Fixture.spec()
            spec.container.http = .init(port: 80, requiresAuth: requiresAuth)
            return JobNetwork(job: Fixture.draft(spec: spec), cluster: try document(), settings: settings, labels: [:]).ingress
        }
        var other = settings()
        other.ingressClass = "nginx"
        #expect(try ingress(requiresAuth: true, other) == nil)
        let open = try #require(try ingress(requiresAuth: false, other))
        #expect(open.spec?.ingressClassName == "nginx" && open.metadata.annotations.isEmpty)
        let page = try #require(try ingress(requiresAuth: false, settings()))
        #expect(page.metadata.annotations == ["traefik.ingress.kubernetes.io/router.middlewares": "error-page@kubernetescrd"])
    }

    @Test func theRegistryIsNamedWithItsPortOnlyIfItHasOne() throws {
        var cluster = try document()
        cluster.registry.url = "http://h:80/x"
        let secret = try PullSecret.secret(owner: "alice/service-accounts/Bot", cluster: cluster, settings: settings())
        #expect(secret.metadata.name == "neurouser-alice--service-accounts--bot")
        let text = String(decoding: try #require(secret.data?[PullSecret.dataKey]), as: UTF8.self)
        #expect(text.contains("\"h:80\":{"))
        #expect(text.contains("\"auth\":\"\(Data("compute:token".utf8).base64EncodedString())\""))
        #expect(PullSecret.host("https://registry.example.org") == "registry.example.org")
    }

    /// Whoever runs a cluster, or names its registry, reads what stands here.
    @Test func withoutAnAccountAtTheRegistryTheClustersTokenIsUsedAndNeverTheServices() throws {
        let service = try ControllerSettings(Settings(values: ["service.token": "OUR-OWN-TOKEN"]))
        var cluster = try document()
        cluster.credentials = .object(["neuro": .object(["token": .string("the-clusters")])])
        let secret = try PullSecret.secret(owner: "alice", cluster: cluster, settings: service)
        let text = String(decoding: try #require(secret.data?[PullSecret.dataKey]), as: UTF8.self)
        #expect(text.contains(#""password":"the-clusters""#) && !text.contains("OUR-OWN-TOKEN"))
    }

    @Test func theNamespacesPolicy() throws {
        let place = ProjectNamespace(Fixture.draft(org: "My Org", project: "P_r:o/j"))
        #expect(place.labels == ["platform.apolo.us/org": "my-org", "platform.apolo.us/project": "p-r-o-j"])
        let endpoints = KubernetesObject(fields: [
            "subsets": [["addresses": [["ip": "192.168.49.2"]], "ports": [["port": 8443]]]]
        ])
        let policy = try json(place.policy(apiServers: ProjectNamespace.apiServers(endpoints)))
        #expect(policy["spec"]?["policyTypes"] == ["Egress"])
        #expect(policy["spec"]?["egress"]?.array?.count == 5)
        #expect(
            policy["spec"]?["egress"]?[4] == [
                "to": [["ipBlock": ["cidr": "192.168.49.2/32"]]], "ports": [["port": 8443, "protocol": "TCP"]],
            ])
    }

    private static let completePod = #"""
        {"metadata": {"name": "<job>",
          "annotations": {"platform.apolo.us/inject-storage":
            "[{\"storage_uri\": \"storage://default/acme/vision/data\", \"mount_path\": \"/data\", \"mount_mode\": \"r\"}]"},
          "labels": {
            "platform.neuromation.io/job": "<job>", "platform.apolo.us/job": "<job>",
            "platform.neuromation.io/user": "alice--service-accounts--bot", "platform.apolo.us/user": "alice--service-accounts--bot",
            "platform.neuromation.io/org": "acme", "platform.apolo.us/org": "acme",
            "platform.neuromation.io/project": "vision", "platform.apolo.us/project": "vision",
            "platform.neuromation.io/preset": "gpu-1", "platform.apolo.us/preset": "gpu-1",
            "platform.apolo.us/inject-storage": "true"}},
         "spec": {
          "automountServiceAccountToken": false, "restartPolicy": "Never",
          "imagePullSecrets": [{"name": "neurouser-alice--service-accounts--bot"}, {"name": "extra-pull"}],
          "tolerations": [
            {"key": "platform.neuromation.io/job", "operator": "Exists", "value": "", "effect": "NoSchedule"},
            {"key": "nvidia.com/gpu", "operator": "Exists", "value": "", "effect": "NoSchedule"},
            {"key": "platform.neuromation.io/preemptible", "operator": "Exists", "value": "", "effect": "NoSchedule"}],
          "affinity": {
            "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
              {"matchExpressions": [{"key": "platform.neuromation.io/nodepool", "operator": "In", "values": ["h100-pool"]}]}]}},
            "podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "podAffinityTerm": {
              "topologyKey": "kubernetes.io/hostname",
              "labelSelector": {"matchExpressions": [{"key": "platform.neuromation.io/job", "operator": "Exists"}]}}}]}},
          "containers": [{
            "name": "<job>", "image": "registry.default.example.org/acme/vision/train:v1", "imagePullPolicy": "Always",
            "command": ["bash", "-c"], "args": ["python train.py --lr 1e-3"], "workingDir": "/workspace",
            "env": [
              {"name": "EPOCHS", "value": "3"}, {"name": "NEURO_JOB_ID", "value": "<job>"}, {"name": "NEURO_JOB_NAME", "value": "trainer"},
              {"name": "NEURO_JOB_OWNER", "value": "alice/service-accounts/bot"}, {"name": "NEURO_JOB_CLUSTER", "value": "<cluster>"},
              {"name": "NEURO_JOB_INTERNAL_HOSTNAME", "value": "<job>.platform--acme--vision--ec093e472edac47866583d96"},
              {"name": "NEURO_JOB_INTERNAL_HOSTNAME_NAMED", "value": "trainer--859b431f56.platform--acme--vision--ec093e472edac47866583d96"},
              {"name": "NEURO_JOB_HTTP_PORT", "value": "8888"}, {"name": "NEURO_JOB_HTTP_AUTH", "value": "True"},
              {"name": "NEURO_JOB_PRESET", "value": "gpu-1"},
              {"name": "API_KEY", "valueFrom": {"secretKeyRef": {"name": "project--acme--vision--secrets", "key": "api-key"}}}],
            "ports": [{"containerPort": 8888}],
            "resources": {"requests": {"cpu": "4500m", "memory": "17179869184", "nvidia.com/gpu": "1"},
                          "limits": {"cpu": "4500m", "memory": "17179869184", "nvidia.com/gpu": "1"}},
            "securityContext": {"privileged": true}, "stdin": true, "tty": true, "terminationMessagePolicy": "FallbackToLogsOnError",
            "volumeMounts": [
              {"name": "project--acme--vision--secrets", "mountPath": "/root/.ssh/id", "subPath": "ssh-key", "readOnly": true},
              {"name": "disk-1", "mountPath": "/scratch", "subPath": ".", "readOnly": false},
              {"name": "disk-2", "mountPath": "/ro", "subPath": ".", "readOnly": true},
              {"name": "disk-1", "mountPath": "/scratch2", "subPath": ".", "readOnly": true},
              {"name": "dshm", "mountPath": "/dev/shm", "subPath": ".", "readOnly": false}]}],
          "volumes": [
            {"name": "project--acme--vision--secrets", "secret": {"secretName": "project--acme--vision--secrets", "defaultMode": 256}},
            {"name": "disk-1", "persistentVolumeClaim": {"claimName": "disk-aaaa"}},
            {"name": "disk-2", "persistentVolumeClaim": {"claimName": "disk-bbbb"}},
            {"name": "dshm", "emptyDir": {"medium": "Memory"}}]}}
        """#
}
