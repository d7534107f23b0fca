// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.util.stream.Stream;
import org.lyapunov4j.samples.Main;

/** Of the program and the experiments. */
@AnalyzeClasses(packages = "org.lyapunov4j", importOptions = ArchitectureTest.NoTests.class)
class ArchitectureTest {
  @ArchTest
  static final ArchRule theProgramKnowsNoExperiment =
      noClasses()
          .that()
          .resideOutsideOfPackage("org.lyapunov4j.samples.experiment..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("org.lyapunov4j.samples.experiment..");

  @ArchTest
  static final ArchRule packagesHaveNoCycles =
      slices().matching("org.lyapunov4j.samples.(**)").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule theLibraryIsUsedFromOutside =
      classes()
          .that(describe("are samples", ArchitectureTest::isSample))
          .should()
          .resideInAPackage("org.lyapunov4j.samples..")
          .because("a class in a package of the library sees more than its public interface");

  private static boolean isSample(JavaClass type) {
    String source = type.getSource().orElseThrow().getUri().toString();
    return Stream.of(Main.class, ExperimentCommand.class)
        .map(sample -> sample.getProtectionDomain().getCodeSource().getLocation().getPath())
        .anyMatch(source::contains);
  }

  /** Those of the program come as a jar. */
  static final class NoTests implements ImportOption {
    @Override
    public boolean includes(Location location) {
      return !location.contains("/test-classes/") && !location.contains("-tests.jar");
    }
  }
}
