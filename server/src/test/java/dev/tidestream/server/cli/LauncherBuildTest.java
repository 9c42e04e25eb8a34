package dev.tidestream.server.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static dev.tidestream.server.cli.LauncherCheckout.age;
import static dev.tidestream.server.cli.LauncherCheckout.executable;
import static dev.tidestream.server.cli.LauncherCheckout.write;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What the script {@code tidestream} builds, and when. */
class LauncherBuildTest {
    private static final String BUILDING = "tidestream: building %s (the first use, or sources have changed) ...\n";
    private static final String BUILT = "tidestream: built in \\d+ s\n";

    @TempDir
    Path folder;

    private LauncherCheckout checkout;

    @BeforeEach
    void makeACheckout() {
        checkout = new LauncherCheckout(folder);
    }

    private String maven(String parts) {
        return "-B -Dmaven.test.skip=true -Dtidestream.checks=off -Dmaven.compiler.executable=" + checkout.jdk
                + "/bin/javac -pl " + parts
                + " -am package";
    }

    @Test
    void shouldBuildOnceAndStartTheJvm() throws Exception {
        Run first = checkout.launch("generate", "--prompt", "two words");
        assertEquals(7, first.code());
        assertEquals(BUILDING.formatted("server") + "tidestream: built\nhalf", first.err().replaceFirst(BUILT,
                "tidestream: built\n"));
        List<String> args = first.out().lines().toList();
        List<String> options = List.of("--add-modules=jdk.incubator.vector", "-Da=1", "-Db=2", "-Dtidestream.terminal=false");
        assertTrue(args.containsAll(options), first.out());
        int main = args.indexOf("dev.tidestream.server.cli.Main");
        assertEquals(List.of("-cp", checkout.jar + ":" + checkout.root + "/server/target/lib/*"), args.subList(main - 2, main));
        assertEquals(List.of("generate", "--prompt", "two words"), args.subList(main + 1, args.size()));

        assertEquals("half", checkout.launch("x").err());
        assertEquals(List.of(maven("server")), checkout.builds());
    }

    @Test
    void shouldBuildTheLoadToolWhenItIsAskedForOnly() throws Exception {
        checkout.launch("loadtest");
        assertEquals(List.of(maven("loadtest")), checkout.builds());
        checkout.launch("loadtest", "--spawn");
        checkout.launch("serve");
        assertEquals(List.of(maven("loadtest"), maven("server")), checkout.builds());
    }

    @Test
    void shouldBuildWhatALoadTestStartsInTheSameRun() throws Exception {
        checkout.launch("loadtest", "--spawn", "--scenario", "smoke");
        checkout.launch("serve");
        checkout.launch("loadtest");
        assertEquals(List.of(maven("server,loadtest")), checkout.builds());
    }

    @Test
    void shouldBuildAgainWhenSourcesChange() throws Exception {
        checkout.launch();
        age(checkout.source, -5);
        checkout.launch();
        assertEquals(2, checkout.builds().size());
        age(checkout.source, 100);
        Files.delete(checkout.source); // its folder is newer now
        age(checkout.root.resolve("server/src/main/java"), -5);
        checkout.launch();
        assertEquals(3, checkout.builds().size());
    }

    @Test
    void shouldBuildAgainWhatHasChangedOnly() throws Exception {
        checkout.launch("loadtest", "--spawn");
        age(checkout.root.resolve("loadtest/src/main/java/A.java"), -5);
        checkout.launch("serve");
        assertEquals(1, checkout.builds().size());
        age(checkout.root.resolve("loadtest/src/main/java/A.java"), 100);
        age(checkout.root.resolve("model/src/main/java/A.java"), -5);
        checkout.launch("loadtest");
        assertEquals(1, checkout.builds().size(), "the load tool does not know the model");
        checkout.launch("serve");
        assertEquals(List.of(maven("server,loadtest"), maven("server")), checkout.builds());
        age(checkout.root.resolve("model/src/main/java/A.java"), 100);
        age(checkout.root.resolve("protocol/pom.xml"), -5);
        checkout.launch("loadtest", "--spawn");
        assertEquals(maven("server,loadtest"), checkout.builds().getLast());
        write(checkout.root.resolve("server/src/test/java/ATest.java"), "");
        checkout.launch("serve");
        age(checkout.root.resolve("protocol/pom.xml"), 100);
        checkout.launch("serve");
        int builds = checkout.builds().size();
        checkout.launch("serve");
        assertEquals(builds, checkout.builds().size(), "tests are no part of it");
    }

    @Test
    void shouldTrustABuildThatMavenMadeAlone() throws Exception {
        Files.createDirectories(checkout.jar.resolveSibling("lib"));
        write(checkout.jar, "");
        checkout.launch();
        assertEquals(List.of(), checkout.builds());
    }

    /** With them, Maven would take classes that nobody has judged for up to date, and mvn verify would judge nothing. */
    @Test
    void shouldLeaveNoNotesOfTheCompiler() throws Exception {
        checkout.launch();
        assertTrue(Files.exists(checkout.root.resolve("server/target/lib")));
        assertFalse(Files.exists(checkout.root.resolve("server/target/maven-status")));
    }

    @Test
    void shouldShowWhyABuildFailed() throws Exception {
        checkout.maven = executable(folder.resolve("bad-mvn"), """
                echo '[INFO] Downloading from central: x'
                echo '[ERROR] A.java: does not compile'; echo 'what else it said' >&2
                exit 3""");
        assertEquals(new Run(1, "", """
                %s[ERROR] A.java: does not compile
                what else it said
                tidestream: the build failed; all that Maven said: %s/target/launcher-build.log
                """.formatted(BUILDING.formatted("server"), checkout.root)), checkout.launch());
        checkout.maven = folder.resolve("no-mvn");
        Run run = checkout.launch();
        assertEquals(1, run.code());
        assertTrue(run.err().startsWith("tidestream: must be built first, and there is no Maven: "), run.err());
    }

    @Test
    void shouldTellATerminalWhatIsGoingOn() throws Exception {
        Run version = checkout.run(List.of("/bin/bash", "-c", "script --version || true"));
        Assumptions.assumeTrue(version.out().contains("util-linux"), "no script of util-linux: nobody has seen the progress");
        Path typescript = folder.resolve("typescript");
        // Each line of Maven stands until the terminal has shown it.
        checkout.maven = executable(folder.resolve("slow-mvn"), """
                shown() {
                    for ((i = 0; i < 600; i++)); do
                        grep -q "$1" '%s' && return
                        sleep 0.1
                    done
                    echo "never shown: $1"
                    exit 1
                }
                shown 'building, [0-9]* s: starting Maven'
                echo '[INFO] Downloading from central: https://example.org/maven2/a/b/1/b-1.pom'
                echo '[INFO] Downloaded from central: https://example.org/maven2/a/b/1/b-1.pom (1 kB at 2 kB/s)'
                echo '[INFO] Downloading from central: https://example.org/maven2/a/b/1/b-1.jar'
                shown 'building, [0-9]* s: fetching b-1.jar (1 files so far)'
                echo '[INFO] --- maven-compiler-plugin:3.16.0:compile (default-compile) @ tidestream-model ---'
                shown 'building, [0-9]* s: compiling model'
                mkdir -p server/target/lib
                touch server/target/tidestream-server.jar
                """.formatted(typescript));
        Run run = checkout.run(List.of("script", "-qfec", "'" + checkout.root + "/tidestream' x", typescript.toString()));
        assertEquals(7, run.code(), run.out());
        assertTrue(run.out().contains("\r\033[Ktidestream: built in "), run.out());
        assertTrue(run.out().contains("-Dtidestream.terminal=true"), run.out());
    }
}
