package dev.tidestream.server.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine.ParseResult;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Unit, image and manifest of {@code docs/ops}: their options are options of {@code serve}, and their ports and times agree. */
class OpsFilesTest {
    private static final String APP = "app.kubernetes.io/name";
    private static final String DRAIN = "--drain-timeout";
    /** What a server gives its clients to close, beyond --drain-timeout. */
    private static final int CLOSE_S = 1;

    /** Fails on what is no option, or no value of one. */
    private static ParseResult serve(List<String> words) {
        assertEquals("serve", words.getFirst());
        return Main.commandLine(new ServeCommand()).parseArgs(words.subList(1, words.size()).toArray(String[]::new));
    }

    @Test
    void shouldStartAServiceThatSystemdCanReloadAndStop() throws IOException {
        assertEquals(List.of("exec"), OpsFiles.unit("Type"));
        List<String> words = List.of(OpsFiles.unit("ExecStart").getFirst().split("\\s+"));
        assertTrue(words.getFirst().endsWith("/bin/tidestream"), words.getFirst());
        ParseResult options = serve(words.subList(1, words.size()));
        int drain = options.matchedOptionValue(DRAIN, 0);
        assertTrue(Integer.parseInt(OpsFiles.unit("TimeoutStopSec").getFirst()) > drain + CLOSE_S);
        assertTrue(OpsFiles.unit("ExecReload").getFirst().contains("-HUP $MAINPID"));
        assertEquals(List.of("tidestream"), OpsFiles.unit("StateDirectory"));
        assertTrue(words.contains("${STATE_DIRECTORY}"));
        List<String> credentials = OpsFiles.unit("LoadCredential").stream().map(value -> value.substring(0, value.indexOf(':'))).toList();
        List<String> used = words.stream().filter(word -> word.startsWith("${CREDENTIALS_DIRECTORY}/"))
                .map(word -> word.substring(word.indexOf('/') + 1)).toList();
        assertEquals(credentials, used);
    }

    @Test
    void shouldMakeAnImageOfTheReleaseThatTheBuildMakes() throws IOException {
        String file = OpsFiles.text("Containerfile");
        JsonNode command = new ObjectMapper().readTree(only("(?m)^CMD (\\[.*])$", file));
        ParseResult options = serve(OpsFiles.words(command).toList());
        assertEquals(only("(?m)^EXPOSE (\\d+)$", file), options.matchedOption("--port").stringValues().getFirst());
        assertEquals(only("(?m)^VOLUME (\\S+)$", file), options.matchedOption("--data-dir").stringValues().getFirst());
        String pom = Files.readString(LauncherCheckout.repository().resolve("server/distribution/pom.xml"));
        assertTrue(pom.contains("-with-runtime</tarball.name>"), pom);
        assertTrue(file.contains(" server/distribution/target/tidestream-*-with-runtime.tar.gz "), file);
        Matcher image = Pattern.compile("(?m)^ARG (?:BUILD|RUN)_IMAGE=(\\S+)$").matcher(file);
        for (int i = 0; i < 2; i++) {
            assertTrue(image.find() && image.group(1).matches("[a-z0-9-]+:[a-z0-9.-]+"), "no host in the name of an image: " + file);
        }
        assertTrue(Pattern.compile("(?m)^FROM (?!\\$\\{)").matcher(file).results().findAny().isEmpty(), "images are arguments");
    }

    private static String only(String pattern, String text) {
        List<String> found = Pattern.compile(pattern).matcher(text).results().map(match -> match.group(1)).toList();
        assertEquals(1, found.size(), pattern);
        return found.getFirst();
    }

    @Test
    void shouldHaveSettingsInTheManifestThatServeTakes(@TempDir Path temp) throws IOException {
        Path file = Files.writeString(temp.resolve("tidestream.yaml"), settings());
        List<String> args = OpsFiles.words(OpsFiles.container().path("args")).toList();
        serve(args);
        List<String> shown = Stream.concat(Stream.of("config", "--json"), args.stream().skip(1)
                .map(word -> word.startsWith("--config=") ? "--config=" + file : word)).toList();
        Run config = Run.of(shown.toArray(String[]::new));
        assertEquals(0, config.code(), config.err());
        assertTrue(config.out().contains("\"origin\":\"file\""), config.out());
    }

    private static String settings() throws IOException {
        return OpsFiles.manifest("ConfigMap").at("/data/tidestream.yaml").asText();
    }

    @Test
    void shouldNameOnePortEverywhere() throws IOException {
        int port = OpsFiles.yaml(settings()).getFirst().path("port").asInt();
        JsonNode set = OpsFiles.manifest("StatefulSet");
        assertEquals(port, OpsFiles.container().at("/ports/0/containerPort").asInt());
        assertEquals(port, OpsFiles.manifest("InferencePool").at("/spec/targetPorts/0/number").asInt());
        assertEquals(port, OpsFiles.manifest("Service").at("/spec/ports/0/port").asInt());
        String annotation = "/metadata/annotations/prometheus.io~1port";
        assertTrue(OpsFiles.manifest("Service").at("/metadata/annotations").isMissingNode(), "a pod is scraped once");
        assertEquals(port, set.at("/spec/template" + annotation).asInt());
        String name = OpsFiles.container().at("/ports/0/name").asText();
        for (String probe : List.of("startupProbe", "readinessProbe", "livenessProbe")) {
            assertEquals(name, OpsFiles.container().path(probe).at("/httpGet/port").asText(), probe);
        }
        JsonNode labels = set.at("/spec/template/metadata/labels");
        JsonNode pool = OpsFiles.manifest("InferencePool").at("/spec/selector/matchLabels");
        assertEquals(labels.path(APP), pool.path(APP));
        assertEquals(labels.path(APP), set.at("/spec/selector/matchLabels").path(APP));
        assertEquals(labels.path(APP), OpsFiles.manifest("Service").at("/spec/selector").path(APP));
    }

    /** Or clients in the cluster get 403. */
    @Test
    void shouldGoByTheNamesOfItsService() throws IOException {
        String service = OpsFiles.manifest("Service").at("/metadata/name").asText();
        List<String> names = OpsFiles.words(OpsFiles.yaml(settings()).getFirst().path("allow-host")).toList();
        assertEquals(List.of(service, service + ".default", service + ".default.svc", service + ".default.svc.cluster.local"), names);
    }

    @Test
    void shouldGiveAPodTheTimeToDrain() throws IOException {
        int drain = OpsFiles.yaml(settings()).getFirst().path("drain-timeout").asInt();
        JsonNode wait = OpsFiles.container().at("/lifecycle/preStop/exec/command");
        assertEquals("sleep", wait.path(0).asText());
        int grace = OpsFiles.manifest("StatefulSet").at("/spec/template/spec/terminationGracePeriodSeconds").asInt();
        assertTrue(drain > 0 && grace > wait.path(1).asInt() + drain + CLOSE_S, "grace: " + grace);
    }

    /** What a container may not write must be a volume where the server writes. */
    @Test
    void shouldMountWhatIsNamed() throws IOException {
        List<String> mounts = OpsFiles.container().path("volumeMounts").findValuesAsText("mountPath");
        List<String> volumes = Stream.concat(
                OpsFiles.manifest("StatefulSet").at("/spec/template/spec/volumes").findValuesAsText("name").stream(),
                Stream.of(OpsFiles.manifest("StatefulSet").at("/spec/volumeClaimTemplates/0/metadata/name").asText())).toList();
        assertTrue(volumes.containsAll(OpsFiles.container().path("volumeMounts").findValuesAsText("name")), volumes.toString());
        Stream<String> paths = Stream.concat(
                OpsFiles.words(OpsFiles.container().path("args")).filter(word -> word.contains("=/"))
                        .map(word -> word.substring(word.indexOf('=') + 1)),
                Stream.of(OpsFiles.yaml(settings()).getFirst().path("model").asText()));
        paths.forEach(path -> assertTrue(mounts.stream().anyMatch(mount -> path.equals(mount) || path.startsWith(mount + "/")), path));
    }

    /** The runbook says of each alert what it means. */
    @Test
    void shouldExplainEveryAlert() throws IOException {
        List<String> explained = Pattern.compile("(?m)^### (Tidestream\\w+)$").matcher(OpsFiles.text("README.md")).results()
                .map(match -> match.group(1)).toList();
        assertEquals(OpsFiles.alerts().stream().map(alert -> alert.path("alert").asText()).toList(), explained);
    }

    @Test
    void shouldNameOptionsInTheRunbookThatThereAre() throws IOException {
        List<String> known = Main.commandLine(new ServeCommand()).getCommandSpec().options().stream()
                .flatMap(option -> Stream.of(option.names())).toList();
        Matcher option = Pattern.compile("`(--[a-z][a-z-]+)[^`]*`").matcher(OpsFiles.text("README.md"));
        int found = 0;
        while (option.find()) {
            found++;
            assertTrue(known.contains(option.group(1)), option.group());
        }
        assertTrue(found > 0);
    }
}
