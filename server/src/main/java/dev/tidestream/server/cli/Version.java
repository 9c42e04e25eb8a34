package dev.tidestream.server.cli;

import picocli.CommandLine.IVersionProvider;

/** What {@code --version} prints: our version, from the jar's manifest, and the JVM's. */
final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
        String version = Version.class.getPackage().getImplementationVersion();
        return new String[] {
            "tidestream %s (Java %s)".formatted(version == null ? "(unpackaged)" : version, Runtime.version())
        };
    }
}
