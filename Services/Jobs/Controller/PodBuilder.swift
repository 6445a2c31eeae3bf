import Foundation
import Injection
import Kubernetes
import PlatformModel

/// A job's pod, field by field as jobs-orchestration.md 4.5 to 4.12 say. Pure: the same job and configuration make the same pod.
struct PodBuilder: Sendable {
    let job: JobRecord
    let cluster: ClusterDocument
    let settings: ControllerSettings

    /// - Throws: `JobStartRefusal` when no pod can be made of the job.
    func pod() throws(JobStartRefusal) -> Pod {
        let choice = try NodePoolChoice(job, cluster.orchestrator)
        let volumes = PodVolumes(job.spec.container)
        let storage = try JobStorage(job).wired(cluster)
        var spec = PodSpec(containers: [try container(choice, mounts: volumes.mounts + (storage?.mounts ?? []))])
        spec.automountServiceAccountToken = false
        spec.restartPolicy =
            switch job.spec.restartPolicy {
            case .never: "Never"
            case .onFailure: "OnFailure"
            case .always: "Always"
            }
        spec.imagePullSecrets = ([PullSecret.name(owner: job.owner)] + (settings.imagePullSecret.map { [$0] } ?? []))
            .map { LocalObjectReference(name: $0) }
        spec.tolerations = choice.tolerations(job, settings)
        spec.affinity = Affinity(nodeAffinity: choice.nodeAffinity(label: settings.nodePoolLabel), podAffinity: Self.packing)
        let all = volumes.volumes + (storage?.volumes ?? [])
        spec.volumes = all.isEmpty ? nil : all
        return Pod(metadata: metadata, spec: spec)
    }

    var labels: [String: String] { JobLabels.pod(job, isExternal: isExternal) }

    private var isExternal: Bool { job.spec.presetName.flatMap { cluster.orchestrator.preset($0) }?.isExternalJob ?? false }

    private var metadata: ObjectMeta {
        var annotations = [JobLabels.injectStorage: PodVolumes.storageAnnotation(job.spec.container.volumes)]
        if let tpu = job.spec.container.resources.tpu { annotations["tf-version.cloud-tpus.google.com"] = tpu.softwareVersion }
        return ObjectMeta(name: job.currentAttempt.podName, labels: labels, annotations: annotations)
    }

    private func container(_ choice: NodePoolChoice, mounts: [VolumeMount]) throws(JobStartRefusal) -> Container {
        let wanted = job.spec.container
        // The name stays the job's id in every attempt: logs and exec address the container by it.
        var container = Container(name: job.id.text, image: wanted.image)
        container.imagePullPolicy = "Always"
        do {
            let command = try ShellWords.split(wanted.entrypoint)
            let arguments = try ShellWords.split(wanted.command)
            container.command = command.isEmpty ? nil : command
            container.args = arguments.isEmpty ? nil : arguments
        } catch {
            throw .invalidCommand
        }
        container.env = PodEnvironment.variables(of: job)
        container.workingDir = wanted.workingDir
        container.resources = try PodResources.requirements(wanted.resources, pools: choice.pools)
        if let port = wanted.http?.port, port > 0 { container.ports = [ContainerPort(containerPort: port)] }
        container.volumeMounts = mounts.isEmpty ? nil : mounts
        container.stdin = true
        if wanted.tty { container.tty = true }
        if job.spec.privileged { container.securityContext = SecurityContext(privileged: true) }
        container.terminationMessagePolicy = "FallbackToLogsOnError"
        return container
    }

    /// Jobs are packed onto few nodes.
    private static let packing = PodAffinity(preferred: [
        PreferredPods(
            weight: 100,
            podAffinityTerm: PodAffinityTerm(
                topologyKey: "kubernetes.io/hostname",
                labelSelector: LabelSelector(matchExpressions: [
                    SelectorRequirement(key: "platform.neuromation.io/job", operator: "Exists")
                ])))
    ])
}
