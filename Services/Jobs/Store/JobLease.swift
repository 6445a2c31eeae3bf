/// The right to act for a cluster, as long as no other process has taken it. Given to a store method, it makes the change conditional on the
/// lease still being this one, checked in the same statement.
struct JobLease: Hashable, Sendable {
    let cluster: String
    /// Unique to one process's life.
    let holder: String
    let epoch: Int64
}
