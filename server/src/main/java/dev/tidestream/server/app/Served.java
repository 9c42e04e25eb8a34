package dev.tidestream.server.app;

import java.util.List;

import dev.tidestream.model.architecture.Blueprint;
import dev.tidestream.model.tokenizer.Tokenizer;
import dev.tidestream.model.transformer.Precision;
import dev.tidestream.server.chat.ModelChat;
import dev.tidestream.server.engine.Engine;
import dev.tidestream.server.openai.AdapterNames;

/** What clients are served from: the model of this process, or that of the workers of a cluster, of which this process has the words. */
interface Served {
    /** What makes the tokens of clients' streams. */
    Engine engine();

    /** Of the model. */
    Tokenizer tokenizer();

    /** How the model chats. */
    ModelChat chat();

    /** The model, without its weights. */
    Blueprint blueprint();

    /** Token ids that a request may name. */
    int vocabularySize();

    /** Elements of all tensors of the file. */
    long parameters();

    /** The version that new streams get. */
    long weightsVersion();

    /** How its logits are computed. */
    String headMode();

    /** Most tokens of a stream that names no limit of its own. */
    int defaultMaxTokens(int promptTokens);

    /** Those that requests may name. */
    List<AdapterNames.Named> adapters();

    /** What it is computed with. */
    Precision precision();

    /** Of the model file, and of what makes prompts of texts; reads all of it. */
    List<String> contentSha256();

    /** Of what makes prompts and texts. */
    String promptSha256();

    /** The model of this process, whose clients' streams that engine makes. */
    static Served of(ModelRuntime running, Engine engine) {
        return new Local(running, engine);
    }

    /** The model of this process. */
    record Local(ModelRuntime running, Engine engine) implements Served {
        @Override
        public Tokenizer tokenizer() {
            return running.tokenizer();
        }

        @Override
        public ModelChat chat() {
            return running.chat();
        }

        @Override
        public Blueprint blueprint() {
            return running.blueprint();
        }

        @Override
        public int vocabularySize() {
            return running.engine().vocabularySize();
        }

        @Override
        public long parameters() {
            return running.parameters();
        }

        @Override
        public long weightsVersion() {
            return running.weightsVersion();
        }

        @Override
        public String headMode() {
            return running.epochs().newest().headMode().wireName();
        }

        @Override
        public int defaultMaxTokens(int promptTokens) {
            return running.engine().defaultMaxTokens(promptTokens);
        }

        @Override
        public List<AdapterNames.Named> adapters() {
            return running.adapters().all().stream().map(a -> new AdapterNames.Named(a.name(), a.loadedS())).toList();
        }

        @Override
        public Precision precision() {
            return running.precision();
        }

        @Override
        public List<String> contentSha256() {
            return running.contentSha256();
        }

        @Override
        public String promptSha256() {
            return running.promptSha256();
        }
    }
}
