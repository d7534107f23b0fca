// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.spark;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

@AnalyzeClasses(packages = "org.lyapunov4j", importOptions = DoNotIncludeTests.class)
class ArchitectureTest {
  @ArchTest
  static final ArchRule nothingElseKnowsSpark =
      noClasses()
          .that()
          .resideOutsideOfPackage("org.lyapunov4j.dl4j.spark..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "org.lyapunov4j.dl4j.spark..",
              "org.apache.spark..",
              "org.apache.hadoop..",
              "scala..");

  @ArchTest
  static final ArchRule noMetricsAndNoJacksonOfTheHost =
      noClasses()
          .that()
          .resideInAPackage("org.lyapunov4j.dl4j.spark..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "org.lyapunov4j.dl4j.metrics..", "io.micrometer..", "com.fasterxml.jackson..");

  @ArchTest
  static final ArchRule oneSourceForEveryScala =
      noClasses()
          .that()
          .resideInAPackage("org.lyapunov4j.dl4j.spark..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("scala..");

  @ArchTest
  static final ArchRule noJavaSerialisationButSparks =
      noClasses()
          .that()
          .resideInAPackage("org.lyapunov4j.dl4j.spark..")
          .should()
          .dependOnClassesThat()
          .haveNameMatching("java\\.io\\.Object(Input|Output)Stream");
}
