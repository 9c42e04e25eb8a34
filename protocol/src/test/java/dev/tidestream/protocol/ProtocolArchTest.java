package dev.tidestream.protocol;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;

@AnalyzeClasses(packages = "dev.tidestream.protocol", importOptions = ImportOption.DoNotIncludeTests.class)
class ProtocolArchTest {
    @ArchTest
    static final ArchRule KNOWS_JDK_AND_JACKSON_ONLY = classes()
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage("java..", "com.fasterxml.jackson..", "org.jspecify..", "dev.tidestream.protocol..")
            .because("clients and load tools use this module alone");
}
