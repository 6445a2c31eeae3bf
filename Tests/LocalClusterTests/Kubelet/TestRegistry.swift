import Foundation
import Subprocess
import SystemPackage
import TestSupport

@testable import LocalCluster

#if canImport(Glibc)
    import Glibc
#endif

/// One OCI registry for all tests of a run, with an image made of this machine's busybox. It ends with the process.
actor TestRegistry {
    static let shared = TestRegistry()

    private var task: Task<Int, any Error>?

    func port() async throws -> Int {
        let task = self.task ?? Task { try await Self.start() }
        self.task = task
        return try await task.value
    }

    private static func start() async throws -> Int {
        let folder = NSTemporaryDirectory() + "orrery-registry-\(getpid())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let port = try freePort()
        let configuration = """
            version: 0.1
            log: {level: error}
            storage: {filesystem: {rootdirectory: \(folder)/data}}
            http: {addr: "127.0.0.1:\(port)"}

            """
        try Data(configuration.utf8).write(to: URL(fileURLWithPath: folder + "/config.yml"))
        let script = """
            set -e
            trap '' INT
            cd \(folder)
            (docker-registry serve config.yml > registry.log 2>&1 & echo $! > pid; pid=$!
             # Ends with the tests, however they end.
             while kill -0 \(getpid()) 2>/dev/null; do sleep 1; done; kill $pid; rm -rf \(folder)) > /dev/null 2>&1 &
            mkdir -p tree/bin tree/tmp tree/etc tree/root oci
            chmod 1777 tree/tmp
            cp /bin/busybox tree/bin/
            for name in $(/bin/busybox --list); do [ $name = busybox ] || ln -sf busybox tree/bin/$name; done
            echo 'root:x:0:0:root:/root:/bin/sh' > tree/etc/passwd
            tar -C tree -cf layer.tar .
            digest=$(sha256sum layer.tar | cut -d' ' -f1)
            mkdir -p oci/blobs/sha256
            put() { d=$(sha256sum $1 | cut -d' ' -f1); mv $1 oci/blobs/sha256/$d; echo $d; }
            layer=$(put layer.tar)
            size=$(stat -c %s oci/blobs/sha256/$layer)
            arch=$(dpkg --print-architecture 2>/dev/null || echo amd64)
            printf '{"architecture":"%s","os":"linux","config":{"Cmd":["sh"],"Env":["PATH=/bin"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
                $arch $layer > config.json
            csize=$(stat -c %s config.json); config=$(put config.json)
            printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:%s","size":%s},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"sha256:%s","size":%s}]}' \
                $config $csize $layer $size > manifest.json
            msize=$(stat -c %s manifest.json); manifest=$(put manifest.json)
            printf '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:%s","size":%s,"annotations":{"org.opencontainers.image.ref.name":"latest"}}]}' \
                $manifest $msize > oci/index.json
            echo '{"imageLayoutVersion":"1.0.0"}' > oci/oci-layout
            for i in $(seq 100); do
                if skopeo copy -q --insecure-policy --dest-tls-verify=false oci:oci:latest docker://127.0.0.1:\(port)/busybox:latest 2>copy.log; then
                    exit 0
                fi
                sleep 0.1
            done
            cat copy.log >&2
            exit 1
            """
        let result = try await Subprocess.run(
            .path("/bin/bash"), arguments: ["-c", script], output: .discarded, error: .string(limit: 1 << 16))
        guard result.terminationStatus.isSuccess else { throw EngineError("the registry: \(result.standardError)") }
        return port
    }
}
