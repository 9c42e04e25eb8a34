package dev.tidestream.server.admin.service;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.protocol.admin.OptimizationMode;
import dev.tidestream.protocol.admin.PayloadType;
import dev.tidestream.server.admin.AdminDesk;
import dev.tidestream.server.admin.AdminException;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

/** What the real desk reports while it works, and when. */
class DeskProgressTest {
    private static final String FILE = "u.safetensors";
    private static final FileUpdate ROWS = FileUpdate.rows(PayloadType.F32, "I32", 97, 3);

    @TempDir
    Path data;

    @TempDir
    Path updates;

    private final List<String> reported = new ArrayList<>();

    private DeskFixture desk() throws Exception {
        return new DeskFixture(data, DeskFixture.Options.DEFAULT.withUpdateDir(updates));
    }

    /** Keeps each report with the version that is served and the mode of its head at that moment. */
    private AdminDesk.ProgressSink keepFor(DeskFixture f) {
        return (stage, done, of) -> reported.add("%s %d/%d at %d %s"
                .formatted(stage, done, of, f.epochs.weightsVersion(), f.current().headMode().wireName()));
    }

    @Test
    void shouldReportTheBuildingOfAnUpdateBeforeItIsServed() throws Exception {
        try (DeskFixture f = desk()) {
            if (!(f.desk.begin(ROWS.request(null), keepFor(f)) instanceof AdminDesk.UpdateStart.Receiving(var upload))) {
                throw new AssertionError();
            }
            try (upload) {
                upload.accept(ByteBuffer.wrap(ROWS.payload()));
                assertEquals(List.of(), reported);
                upload.finish(keepFor(f));
            }
            assertEquals(List.of("building 0/1 at 1 packed", "building 1/1 at 1 packed"), reported);
        }
    }

    @Test
    void shouldReportTheBuildingOfAnUpdateFromAFile() throws Exception {
        ROWS.write(updates.resolve(FILE));
        try (DeskFixture f = desk()) {
            f.desk.handle(ROWS.request(FILE), keepFor(f));
            assertEquals(List.of("building 0/1 at 1 packed", "building 1/1 at 1 packed"), reported);
            f.desk.handle(ROWS.request(FILE), keepFor(f));
            assertEquals(2, reported.size(), "a repetition builds nothing: " + reported);
        }
    }

    @Test
    void shouldNotReportWhatIsRefusedAsBuilt() throws Exception {
        float[] values = new float[DeskFixture.HIDDEN];
        Arrays.fill(values, Float.NaN);
        DeskFixture.Update update = DeskFixture.rows("u", 1, new int[] {3}, values);
        try (DeskFixture f = desk()) {
            if (!(f.desk.begin(update.request(), keepFor(f)) instanceof AdminDesk.UpdateStart.Receiving(var upload))) {
                throw new AssertionError();
            }
            try (upload) {
                upload.accept(ByteBuffer.wrap(update.payload()));
                assertThrows(AdminException.class, () -> upload.finish(keepFor(f)));
            }
            assertEquals(List.of("building 0/1 at 1 packed"), reported);
        }
    }

    @Test
    void shouldReportEachUpdateThatARollbackAppliesAnew() throws Exception {
        try (DeskFixture f = desk()) {
            for (int version = 1; version <= 4; version++) {
                f.send(DeskFixture.rows("u" + version, version, new int[] {version}, new float[DeskFixture.HIDDEN]));
            }
            f.desk.handle(new AdminRequest.WeightsRollback("back", 4), keepFor(f));
            assertEquals(List.of("building 0/3 at 5 packed", "building 1/3 at 5 packed", "building 2/3 at 5 packed"), reported);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldReportBuildingAndThenVerifyingOfAToggle(boolean verify) throws Exception {
        try (DeskFixture f = desk()) {
            f.desk.handle(new AdminRequest.OptimizationSet("m", OptimizationMode.CACHED_TRANSPOSE, verify), keepFor(f));
            List<String> expected = verify
                    ? List.of("building 0/1 at 1 packed", "verifying 0/1 at 1 packed")
                    : List.of("building 0/1 at 1 packed");
            assertEquals(expected, reported);
            f.desk.handle(new AdminRequest.OptimizationSet("n", OptimizationMode.CACHED_TRANSPOSE, verify), keepFor(f));
            assertEquals(expected, reported, "there is nothing to do");
        }
    }
}
