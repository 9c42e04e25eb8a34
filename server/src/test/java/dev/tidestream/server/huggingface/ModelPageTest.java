package dev.tidestream.server.huggingface;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

import org.junit.jupiter.api.Test;

import dev.tidestream.model.architecture.Architecture;
import dev.tidestream.model.architecture.family.Architectures;
import dev.tidestream.model.format.TensorFormat;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The page in the repository is what the tool makes of the code and of the measurements in the repository. */
class ModelPageTest {
    private static final Path DOCS = Path.of("..", "docs");

    @Test
    void shouldBeThePageThatIsInTheRepository() throws IOException {
        String page = Files.readString(DOCS.resolve("models.md"));
        assertEquals(ModelPage.write(page, Files.readAllLines(DOCS.resolve("charts/models.jsonl"))), page);
        for (Architecture architecture : Architectures.known()) {
            assertTrue(page.contains("| `%s` |".formatted(architecture.name())), architecture.name());
        }
        for (TensorFormat format : TensorFormat.values()) {
            assertTrue(page.contains("| %s |".formatted(format)), format.name());
        }
        for (Family family : Family.known()) {
            assertTrue(page.contains("`%s`".formatted(family.modelClass())), family.modelClass());
        }
    }

    @Test
    void shouldRefuseATableThatItDoesNotKnow() {
        String page = "<!-- table of colours -->\n<!-- end of table -->\n";
        assertThrows(IllegalArgumentException.class, () -> ModelPage.write(page, List.of()));
    }
}
