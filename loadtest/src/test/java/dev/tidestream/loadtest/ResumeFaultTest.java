package dev.tidestream.loadtest;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.loadtest.ScriptedServer.Reply;
import dev.tidestream.loadtest.figures.Figures;
import dev.tidestream.loadtest.figures.Promise;
import dev.tidestream.loadtest.figures.PromiseCount;
import dev.tidestream.loadtest.report.JsonReport;
import dev.tidestream.loadtest.report.RunReport;
import dev.tidestream.protocol.ClientMessage;
import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.ServerMessage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Clients that lose their connection and go on with their streams on another, and servers that do that wrongly. */
class ResumeFaultTest {
    private static final long MS = 1_000_000;
    private static final int TOKENS = 12;

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path directory;

    private final StringWriter said = new StringWriter();

    /** Six streams, all of which lose their connection. */
    private int run(ScriptedServer.Resumption resumption, String... more) {
        // Gaps that are long: what has come already when a client drops its connection is no more than that.
        try (ScriptedServer server = new ScriptedServer(
                (request, _) -> ScriptedServer.stream(request.id(), TOKENS, MS, 40 * MS), resumption)) {
            List<String> all = new ArrayList<>(List.of("--url", server.url().toString(), "--warmup", "0s", "--requests", "6",
                    "-c", "3", "--output-tokens", String.valueOf(TOKENS), "--faults", "resume=1",
                    "--out", directory.resolve("out.json").toString()));
            all.addAll(List.of(more));
            int exitCode = Main.run(new PrintWriter(said), new PrintWriter(said), all.toArray(String[]::new));
            long dropped = resumes().dropped();
            long asked = server.received().stream().filter(message -> message instanceof ClientMessage.Resume).count();
            assertTrue(asked >= dropped, said.toString());
            return exitCode;
        }
    }

    private RunReport report() {
        try {
            return JsonReport.read(directory.resolve("out.json"));
        } catch (IOException e) {
            throw new AssertionError(said.toString(), e);
        }
    }

    private Figures.Resumes resumes() {
        return Objects.requireNonNull(report().steps().getFirst().figures().resumes(), said::toString);
    }

    private void caught(int exitCode, String evidence) {
        assertEquals(1, exitCode, said.toString());
        assertTrue(said.toString().contains(evidence), said.toString());
    }

    @Test
    void shouldGoOnOnAnotherConnection() {
        assertEquals(0, run(ScriptedServer::rest), said.toString());
        assertEquals(new Figures.Resumes(6, 6, Map.of(), 0, 0), resumes());
        assertTrue(said.toString().contains("resumed     6 of 6 dropped; tokens lost 0, repeated 0; refused none"), said.toString());
        Figures figures = report().steps().getFirst().figures();
        assertEquals(6, figures.finished());
        assertEquals(0, figures.e2e().count(), "the gap is the client's");
        assertEquals(6, report().steps().getFirst().marks().stream().filter(mark -> mark.what().startsWith("drop: ")).count());
        assertEquals(6, report().steps().getFirst().promises().stream().filter(count -> count.promise() == Promise.RESUMED)
                .mapToLong(PromiseCount::checked).sum());
    }

    @Test
    void shouldCatchALostToken() {
        int exitCode = run((request, said) -> {
            List<Reply> rest = ScriptedServer.rest(request, said);
            rest.remove(1); // the first behind accepted
            return rest;
        });
        caught(exitCode, "tokens lost: seq=");
        assertEquals(new Figures.Resumes(6, 6, Map.of(), 6, 0), resumes());
    }

    @Test
    void shouldCatchALostEnd() {
        int exitCode = run((request, said) -> {
            List<Reply> rest = ScriptedServer.rest(request, said);
            rest.remove(rest.size() - 2);
            return rest;
        });
        caught(exitCode, "usage is not what came: received=11, usage=12");
        assertEquals(6, resumes().lost());
    }

    @Test
    void shouldCatchARepeatedToken() {
        int exitCode = run((request, said) -> ScriptedServer.rest(
                new ClientMessage.Resume(request.id(), request.stream(), request.afterSeq() - 1, request.credit()), said));
        caught(exitCode, "a token repeated or out of order: seq=");
        assertEquals(6, resumes().repeated());
    }

    @Test
    void shouldCatchTokensWithoutAccepted() {
        int exitCode = run((request, said) -> {
            List<Reply> rest = ScriptedServer.rest(request, said);
            rest.removeFirst();
            return rest;
        });
        caught(exitCode, "goes on without accepted: Token[");
        assertEquals(new Figures.Resumes(6, 0, Map.of(), 0, 0), resumes());
    }

    @Test
    void shouldCatchAnotherStream() {
        int exitCode = run((request, said) -> {
            List<Reply> rest = ScriptedServer.rest(request, said);
            rest.set(0, new Reply(0, new ServerMessage.Accepted(request.id(), 1, 99, 7, 3, request.stream())));
            return rest;
        });
        caught(exitCode, "resumed as another stream: seed before=2, name before=name-of-s");
    }

    /** The numbers are right, and the text is not: seen when the same is asked again. */
    @Test
    void shouldCatchAnotherText() {
        ScriptedServer.Resumption other = (request, said) -> ScriptedServer.rest(request, said).stream().map(reply ->
                reply.message() instanceof ServerMessage.Token t && t.seq() == TOKENS - 1
                        ? new Reply(reply.delayNs(),
                                new ServerMessage.Token(t.id(), t.seq(), 6, t.text(), t.weightsVersion(), null, List.of()))
                        : reply).toList();
        caught(run(other, "--repeats", "0.0001", "--requests", "4", "-c", "1"), "another text with the same prompt and seed");
    }

    @Test
    void shouldCountRefusals() {
        ScriptedServer.Resumption gone = (request, _) -> List.of(
                new Reply(0, new ServerMessage.Failed(request.id(), ErrorCode.UNKNOWN_STREAM, "no such stream")));
        run(gone);
        assertEquals(new Figures.Resumes(6, 0, Map.of("unknown_stream", 6L), 0, 0), resumes());
        assertEquals(1, run(gone, "--fail-on-errors"));
    }

    @Test
    void shouldRefuseItWhereAStreamEndsWithItsConnection() {
        for (List<String> args : List.of(List.of("--target", "openai"), List.of("--credit", "paced:20"))) {
            List<String> all = new ArrayList<>(args);
            all.addAll(List.of("--faults", "resume=1"));
            assertEquals(2, Main.run(new PrintWriter(said), new PrintWriter(said), all.toArray(String[]::new)));
            assertTrue(said.toString().contains("--faults resume is for the wire of Tidestream"), said.toString());
        }
    }
}
