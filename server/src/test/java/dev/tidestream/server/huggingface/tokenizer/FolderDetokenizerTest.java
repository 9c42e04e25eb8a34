package dev.tidestream.server.huggingface.tokenizer;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.model.SharedData;
import dev.tidestream.model.tokenizer.IncrementalDetokenizer;
import dev.tidestream.model.tokenizer.Tokenizer;
import dev.tidestream.model.tokenizer.Tokenizers;

import static org.junit.jupiter.api.Assertions.assertEquals;

/** A stream's text is the text of all its tokens: halves of characters, byte tokens, control tokens, the space in front. */
class FolderDetokenizerTest {

    @ParameterizedTest
    @ValueSource(strings = {
        "starter/hf", "golden/models/gpt2/hf", "golden/models/llama3/hf", "golden/models/qwen2/hf", "golden/models/gemma3/hf",
        "golden/models/bitnet/hf"
    })
    void shouldStreamWhatDecodingGives(String folder) throws IOException {
        Tokenizer tokenizer = Tokenizers.of(FolderTokenizer.read(SharedData.path(folder)));
        for (long seed = 0; seed < 2_000; seed++) {
            Random random = new Random(seed);
            int[] ids = random.ints(random.nextInt(60), 0, random.nextBoolean() ? tokenizer.vocabularySize() : 300).toArray();
            assertEquals(tokenizer.decode(ids), streamed(tokenizer, new int[0], ids), "seed=" + seed);
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            for (int id : ids) {
                bytes.writeBytes(tokenizer.tokenBytes(id));
            }
            int cut = random.nextInt(ids.length + 1);
            int[] prompt = Arrays.copyOf(ids, cut);
            int[] stream = Arrays.copyOfRange(ids, cut, ids.length);
            String begun = tokenizer.decode(prompt);
            if (!begun.contains("\uFFFD")) { // else the prompt may end within a character, which the stream then begins with
                assertEquals(tokenizer.decode(ids), begun + streamed(tokenizer, prompt, stream), "seed=" + seed + ", prompt=" + cut);
            }
            String all = bytes.toString(StandardCharsets.UTF_8);
            String decoded = tokenizer.decode(ids);
            assertEquals(all, (all.length() > decoded.length() ? " " : "") + decoded, "seed=" + seed);
        }
    }

    private static String streamed(Tokenizer tokenizer, int[] prompt, int[] ids) {
        IncrementalDetokenizer detokenizer = tokenizer.newDetokenizer(prompt);
        StringBuilder text = new StringBuilder();
        for (int id : ids) {
            text.append(detokenizer.append(id));
        }
        return text.append(detokenizer.flush()).toString();
    }
}
