package dev.tidestream.loadtest;

import picocli.CommandLine.IVersionProvider;

/** What {@code --version} prints: the load tool's version, from the jar's manifest, and the JVM's. */
final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
        String version = Version.class.getPackage().getImplementationVersion();
        return new String[] {
            "tidestream loadtest %s (Java %s)".formatted(version == null ? "(unpackaged)" : version, Runtime.version())
        };
    }
}
