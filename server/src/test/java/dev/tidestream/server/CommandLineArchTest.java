package dev.tidestream.server;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

/** What only the command line knows. */
@AnalyzeClasses(
        packages = "dev.tidestream",
        importOptions = {ImportOption.DoNotIncludeTests.class, ArchitectureArchTest.NoTestJars.class})
class CommandLineArchTest {

    @ArchTest
    static final ArchRule JLINE_IN_THE_CHAT = noClasses()
            .that().resideInAPackage("dev.tidestream..")
            .and().resideOutsideOfPackage("dev.tidestream.server.cli.chat..")
            .should().dependOnClassesThat().resideInAnyPackage("org.jline..");

    @ArchTest
    static final ArchRule TOOLS_OF_THE_COMMAND_LINE = noClasses()
            .that().resideOutsideOfPackages("dev.tidestream.server.cli..", "dev.tidestream.server.bench..")
            .should().dependOnClassesThat().resideInAPackage("dev.tidestream.server.bench..");

    @ArchTest
    static final ArchRule BENCH = noClasses().that().resideInAPackage("dev.tidestream.server.bench..")
            .should().dependOnClassesThat().resideInAnyPackage("dev.tidestream.server.app..", "dev.tidestream.server.warmup..");
}
