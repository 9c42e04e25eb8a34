package dev.tidestream.server.admin.store;

/**
 * A change of one tensor on the way to a version.
 *
 * @param version that has it
 */
public record ReplayStep(VersionRecord.WithPayload version, TensorChange change) {}
