// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.docs;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.Member;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * What users may call is recorded in {@code docs/api.txt}, so that a change of it is seen in a
 * review. {@code -Dlyapunov4j.api=record} writes the record anew.
 */
class ApiTest {
  private static final Path RECORD = Path.of("api.txt");

  @Test
  void thePublicInterfaceIsTheRecordedOne() throws IOException {
    List<String> present =
        new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .importPackages("org.lyapunov4j")
                .stream()
                .sorted(Comparator.comparing(JavaClass::getName))
                .map(JavaClass::reflect)
                .filter(ApiTest::isPublic)
                .flatMap(ApiTest::describe)
                .toList();
    if ("record".equals(System.getProperty("lyapunov4j.api"))) {
      Files.write(RECORD, present);
    }
    assertThat(present)
        .as("the public interface; -Dlyapunov4j.api=record records an intended change")
        .containsExactlyElementsOf(Files.readAllLines(RECORD));
  }

  /** With all classes around it. */
  private static boolean isPublic(Class<?> type) {
    return type == null
        || (isVisible(type.getModifiers())
            && !type.isAnonymousClass()
            && isPublic(type.getDeclaringClass()));
  }

  private static boolean isVisible(int modifiers) {
    return Modifier.isPublic(modifiers) || Modifier.isProtected(modifiers);
  }

  private static Stream<String> describe(Class<?> type) {
    return Stream.concat(
        // Later JDKs than 17 print this modifier.
        Stream.of(type.toGenericString().replaceFirst("\\b(non-)?sealed ", "")),
        Stream.of(
                Stream.of(type.getDeclaredFields())
                    .filter(ApiTest::isShown)
                    .map(Field::toGenericString),
                Stream.of(type.getDeclaredConstructors())
                    .filter(ApiTest::isShown)
                    .map(Constructor::toGenericString),
                Stream.of(type.getDeclaredMethods())
                    .filter(ApiTest::isShown)
                    .map(Method::toGenericString))
            .flatMap(members -> members.sorted().map(member -> "  " + member)));
  }

  private static boolean isShown(Member member) {
    return isVisible(member.getModifiers()) && !member.isSynthetic();
  }
}
