import Logging
import PlatformClients
import PlatformModel

/// Carries out what follows a stored change. Nothing here may fail the change: it is in the database already.
struct JobEffects: Sendable {
    /// Note on a record whose pass-config grant was taken back; the retention policy repeats the attempt until it is there.
    static let revokedNote = "pass_config_revoked"

    let store: JobStore
    let auth: AuthClient
    let logger: Logger

    func carryOut(_ change: JobChange) async {
        for effect in change.effects {
            switch effect {
            case .passConfigRevoked: await revokePassConfig(of: change.record)
            case .statusChanged, .recordRemoved: break
            }
        }
    }

    /// The token that the job carried is worth nothing from now on.
    func revokePassConfig(of job: JobRecord) async {
        do {
            try await auth.revoke([job.passConfigURI], from: PrincipalName(job.owner))
            try await store.apply([.noted(key: Self.revokedNote, value: "true")], to: job.id)
        } catch {
            logger.warning(
                "A job's token could not be revoked; it is tried again", metadata: ["job": "\(job.id)", "error": "\(error)"])
        }
    }
}
