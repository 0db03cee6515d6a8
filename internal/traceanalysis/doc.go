// Package traceanalysis tells where the time of a trace went, and what went wrong in it. It is made of pure functions
// on OTLP traces, which take traces as they come: with spans missing, clocks that differ, parents that lead in a ring.
//
// The critical path is that of CRISP (Zhang et al., "CRISP: Critical Path Analysis of Large-Scale Microservice
// Architectures", USENIX ATC 2022), which Jaeger's UI follows, too: from the end of a span backwards, the child that ended
// last is what the span waited for, then the one that ended last before that child began.
package traceanalysis
