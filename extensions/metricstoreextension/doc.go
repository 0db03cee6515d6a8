//go:generate mdatagen metadata.yaml

// Package metricstoreextension keeps metrics and answers PromQL: in an embedded Prometheus TSDB, or by the
// query API of any Prometheus-compatible cluster.
//
// # Embedded
//
// embeddedStore holds the current database, which is one opening of the TSDB. Whoever reads or writes enters the
// database's gate and leaves it at the end, so that the TSDB is closed after its last user: it unmaps files when
// it closes. A supervisor replaces the database where the disk fills up, for two faults of the TSDB:
//
//   - A write to the write-ahead log that fails half-way leaves a torn record there. The log goes on behind it as
//     soon as there is space, and the TSDB acknowledges what it writes; but the next replay ends at the tear, and
//     drops it all. So nothing is acknowledged after a failed write until the TSDB was closed and opened again,
//     which repairs the log while there is nothing behind the tear.
//   - A chunk of samples that cannot be flushed panics, in a goroutine of the TSDB. So samples are refused while
//     there is still a reserve of space, and the TSDB closes before that is gone.
//
// What a crash or a full disk leaves of a repair is undone before the next one: see resumeRepairs.
//
// # Remote
//
// remoteStore translates the port into requests of internal/promclient, and errors back. Prometheus' API is a
// reverse proxy that passes reads only, with the credentials of the config.
package metricstoreextension
