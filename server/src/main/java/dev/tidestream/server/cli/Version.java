package dev.tidestream.server.cli;

import picocli.CommandLine.IVersionProvider;

/** What {@code --version} prints: our version, from the jar's manifest, and the JVM's. */
final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
        return new String[] {"tidestream %s (Java %s)".formatted(ours(), Runtime.version())};
    }

    /** Ours, from the jar's manifest. */
    static String ours() {
        String version = Version.class.getPackage().getImplementationVersion();
        return version == null ? "(unpackaged)" : version;
    }
}
