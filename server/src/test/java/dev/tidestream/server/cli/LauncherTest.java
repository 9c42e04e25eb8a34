package dev.tidestream.server.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The script {@code tidestream}, in a checkout, with a JDK and a Maven that are made of shell scripts. */
class LauncherTest {
    private static final String ARCHIVE = "-XX:SharedArchiveFile=";
    private static final String WARNING = "WARNING: Using incubator modules: jdk.incubator.vector";

    @TempDir
    Path folder;

    private Path checkout;
    private Path source;
    private Path jar;
    private Path jdk;
    private Path maven;
    private @Nullable Map<String, String> locale; // null: that of the test

    @BeforeEach
    void makeACheckout() throws IOException {
        Path script = repository().resolve("tidestream");
        Assumptions.assumeTrue(Files.isExecutable(Path.of("/bin/bash")), "no /bin/bash");
        checkout = Files.createDirectory(folder.resolve("check out")).toRealPath();
        Files.copy(script, checkout.resolve("tidestream"));
        assertTrue(checkout.resolve("tidestream").toFile().setExecutable(true));
        source = write(checkout.resolve("server/src/main/java/A.java"), "");
        write(checkout.resolve("server/pom.xml"), "");
        write(checkout.resolve("pom.xml"), "");
        jar = checkout.resolve("server/target/tidestream-server.jar");
        jdk = jdk("jdk", "25.0.1", "echo '%s' >&2; printf '%%s\\n' \"$@\"; printf 'half' >&2; exit 7".formatted(WARNING));
        maven = executable(folder.resolve("fake-mvn"), """
                echo "$@" >> "%s/maven.log"
                mkdir -p server/target/lib
                touch server/target/tidestream-server.jar
                """.formatted(folder));
    }

    private static Path repository() {
        Path here = Path.of("").toAbsolutePath();
        return Stream.iterate(here, path -> path != null, Path::getParent)
                .filter(path -> Files.exists(path.resolve("tidestream")) && Files.exists(path.resolve("pom.xml")))
                .findFirst().orElseThrow(() -> new AssertionError("no launcher above " + here));
    }

    private static Path write(Path path, String text) throws IOException {
        Files.createDirectories(path.getParent());
        return Files.writeString(path, text);
    }

    private static Path executable(Path path, String body) throws IOException {
        write(path, "#!/bin/bash\n" + body + "\n");
        assertTrue(path.toFile().setExecutable(true));
        return path;
    }

    private Path jdk(String name, String version, String java) throws IOException {
        Path home = folder.resolve(name);
        executable(home.resolve("bin/java"), java);
        executable(home.resolve("bin/javac"), "exit 1");
        write(home.resolve("release"), "JAVA_VERSION=\"" + version + "\"\n");
        return home;
    }

    private Run launch(String... args) throws IOException, InterruptedException {
        return launch(checkout.resolve("tidestream"), args);
    }

    private Run launch(Path script, String... args) throws IOException, InterruptedException {
        Path out = folder.resolve("out");
        Path err = folder.resolve("err");
        ProcessBuilder builder = new ProcessBuilder(
                Stream.concat(Stream.of("/bin/bash", script.toString()), Arrays.stream(args)).toList());
        builder.directory(folder.toFile()).redirectOutput(out.toFile()).redirectError(ProcessBuilder.Redirect.PIPE);
        if (locale != null) {
            builder.environment().keySet().removeIf(name -> name.equals("LANG") || name.startsWith("LC_"));
            builder.environment().putAll(locale);
        }
        builder.environment().put("JAVA_HOME", jdk.toString());
        builder.environment().put("TIDESTREAM_MAVEN", maven.toString());
        builder.environment().put("TIDESTREAM_JAVA_OPTS", "-Da=1 -Db=2");
        Process process = builder.start();
        Files.write(err, process.getErrorStream().readAllBytes()); // to its end: the filter has ended, too
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        return new Run(process.exitValue(), Files.readString(out), Files.readString(err, StandardCharsets.UTF_8));
    }

    private int builds() throws IOException {
        Path log = folder.resolve("maven.log");
        return Files.exists(log) ? Files.readAllLines(log).size() : 0;
    }

    /** A file's time, relative to now. */
    private static void age(Path path, int seconds) throws IOException {
        Files.setLastModifiedTime(path, FileTime.fromMillis(System.currentTimeMillis() - 1000L * seconds));
    }

    private void ageSources() throws IOException {
        try (Stream<Path> tree = Files.walk(checkout)) {
            for (Path path : tree.filter(path -> !path.toString().contains("target")).toList()) {
                age(path, 100);
            }
        }
    }

    @Test
    void shouldBuildOnceAndStartTheJvm() throws Exception {
        ageSources();
        Run first = launch("generate", "--prompt", "two words");
        assertEquals(7, first.code());
        assertEquals("tidestream: building (the first use, or sources have changed) ...\nhalf", first.err());
        List<String> args = first.out().lines().toList();
        List<String> options = List.of("--add-modules=jdk.incubator.vector", "-Da=1", "-Db=2", "-Dtidestream.terminal=false");
        assertTrue(args.containsAll(options), first.out());
        int main = args.indexOf("dev.tidestream.server.cli.Main");
        assertEquals(List.of("-cp", jar + ":" + checkout + "/server/target/lib/*"), args.subList(main - 2, main));
        assertEquals(List.of("generate", "--prompt", "two words"), args.subList(main + 1, args.size()));

        assertEquals("half", launch("x").err());
        assertEquals(1, builds());
    }

    @Test
    void shouldPassTheJvmFlagsOfTheBuild() throws Exception {
        String pom = Files.readString(repository().resolve("pom.xml"));
        String flags = pom.replaceAll("(?s).*<tidestream.jvm.flags>(.*)</tidestream.jvm.flags>.*", "$1");
        assertTrue(launch().out().lines().toList().containsAll(List.of(flags.split(" "))), flags);
    }

    @Test
    void shouldKeepAnArchiveOfClassesForServersOnly() throws Exception {
        ageSources();
        assertEquals(checkout.resolve("server/target"), archive(launch("serve")).getParent());
        assertTrue(launch("generate").out().lines().noneMatch(line -> line.startsWith(ARCHIVE)));
    }

    private static Path archive(Run run) {
        return Path.of(run.out().lines().filter(line -> line.startsWith(ARCHIVE)).findFirst().orElseThrow().substring(ARCHIVE.length()));
    }

    /** The JVM refuses an archive of other jars, and does not replace it. */
    @Test
    void shouldDropAnArchiveThatIsOlderThanTheJarOrOfOtherJars() throws Exception {
        ageSources();
        Path archive = write(archive(launch("serve")), "classes");
        Path other = write(checkout.resolve("server/target/serve-1-2.jsa"), "classes of a server that ended after a build");
        assertEquals(archive, archive(launch("serve")));
        assertTrue(Files.exists(archive));
        assertFalse(Files.exists(other));
        age(archive, 20);
        launch("serve");
        assertFalse(Files.exists(archive));
        age(jar, 3600);
        assertNotEquals(archive, archive(launch("serve")));
    }

    @Test
    void shouldBuildAgainWhenSourcesChange() throws Exception {
        ageSources();
        launch();
        age(source, -5);
        launch();
        assertEquals(2, builds());
        age(source, 100);
        Files.delete(source); // its folder is newer now
        age(checkout.resolve("server/src/main/java"), -5);
        launch();
        assertEquals(3, builds());
    }

    @Test
    void shouldTrustABuildThatMavenMadeAlone() throws Exception {
        ageSources();
        Files.createDirectories(jar.resolveSibling("lib"));
        write(jar, "");
        launch();
        assertEquals(0, builds());
    }

    @Test
    void shouldShowWhyABuildFailed() throws Exception {
        maven = executable(folder.resolve("bad-mvn"), "echo 'A.java: does not compile'; exit 3");
        assertEquals(new Run(1, "", """
                tidestream: building (the first use, or sources have changed) ...
                A.java: does not compile
                tidestream: the build failed
                """), launch());
        maven = folder.resolve("no-mvn");
        Run run = launch();
        assertEquals(1, run.code());
        assertTrue(run.err().startsWith("tidestream: must be built first, and there is no Maven: "), run.err());
    }

    @Test
    void shouldWorkThroughSymbolicLinks() throws Exception {
        Path relative = Files.createSymbolicLink(checkout.resolve("link"), Path.of("tidestream"));
        Path absolute = Files.createSymbolicLink(folder.resolve("ts"), relative);
        assertTrue(launch(absolute, "x").out().contains("\n" + jar + ":"));
    }

    @Test
    void shouldStartTheLoadTest() throws Exception {
        List<String> args = launch("loadtest", "--streams", "8").out().lines().toList();
        int main = args.indexOf("dev.tidestream.loadtest.Main");
        assertTrue(args.get(main - 1).startsWith(checkout + "/loadtest/target/*:"), args.get(main - 1));
        assertEquals(List.of("--streams", "8"), args.subList(main + 1, args.size()));
    }

    @Test
    void shouldPassOverOtherJdks() throws Exception {
        jdk = jdk("jdk17", "17.0.15", "echo wrong");
        Run run = launch();
        assertEquals("", run.out());
        assertTrue(run.err().contains("needs JDK 25, found none: set JAVA_HOME to one (JAVA_HOME=" + jdk)
                || run.err().contains("dev.tidestream.server.cli.Main"), run.err()); // a JDK 25 of the machine
    }

    /** Else the JVM would not know the characters of arguments and file names. */
    @Test
    void shouldUseUtf8InEveryLocale() throws Exception {
        jdk = jdk("locales", "25", "locale charmap; echo $LC_ALL");
        locale = Map.of();
        assertEquals("UTF-8\nC.UTF-8\n", launch().out());
        locale = Map.of("LANG", "C");
        assertEquals(new Run(0, "UTF-8\nC.UTF-8\n", ""), launch());
        locale = Map.of("LC_ALL", "xx_XX.UTF-8"); // not installed, which is as good as none
        assertEquals("UTF-8\nC.UTF-8\n", launch().out());
        locale = Map.of("LC_ALL", "C", "LC_CTYPE", "fr_FR.ISO-8859-1");
        assertEquals("UTF-8\nC.UTF-8\n", launch().out());
    }

    @Test
    void shouldSayWhatIsATerminal() throws Exception {
        assertTrue(launch().out().lines().toList().containsAll(List.of("-Dtidestream.terminal=false",
                "-Dtidestream.terminal.stdout=false", "-Dtidestream.terminal.stdin=false")));
    }

    @Test
    void shouldHideNothingButTheWarning() throws Exception {
        String warn = "echo '" + WARNING + "' >&2; ";
        jdk = jdk("other", "25", "echo first >&2; " + warn + warn + "echo last >&2");
        launch();
        assertEquals("first\n" + WARNING + "\nlast\n", launch().err());
        jdk = jdk("quiet", "25", "echo 'Error: something' >&2; printf 'no end' >&2; exit 1");
        assertEquals(new Run(1, "", "Error: something\nno end"), launch());
    }
}
