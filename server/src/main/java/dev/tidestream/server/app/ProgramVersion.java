package dev.tidestream.server.app;

/** The version of this program. */
public final class ProgramVersion {
    private ProgramVersion() {}

    /** From the jar's manifest. */
    public static String ours() {
        String version = ProgramVersion.class.getPackage().getImplementationVersion();
        return version == null ? "(unpackaged)" : version;
    }
}
