// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.record;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;
import org.deeplearning4j.nn.api.Model;

/**
 * The software that made a record.
 *
 * @param library version of lyapunov4j
 * @param deeplearning4j version of Deeplearning4j
 * @param jvm vendor and version of the Java virtual machine
 * @param platform operating system, its version and architecture
 * @param processors that the virtual machine may use
 */
public record Provenance(
    String library, String deeplearning4j, String jvm, String platform, int processors) {
  private static final String UNKNOWN = "unknown";
  private static final String DEEPLEARNING4J =
      "/META-INF/maven/org.deeplearning4j/deeplearning4j-nn/pom.properties";

  /**
   * That of this process.
   *
   * @return the version of this library in its jar's manifest and that of Deeplearning4j where
   *     Maven notes it, which a jar of everything keeps; {@code "unknown"} where they are not
   */
  public static Provenance current() {
    return new Provenance(
        version(Provenance.class),
        deeplearning4jVersion(),
        System.getProperty("java.vm.vendor") + " " + System.getProperty("java.vm.version"),
        System.getProperty("os.name")
            + " "
            + System.getProperty("os.version")
            + " "
            + System.getProperty("os.arch"),
        Runtime.getRuntime().availableProcessors());
  }

  private static String deeplearning4jVersion() {
    try (InputStream stream = Model.class.getResourceAsStream(DEEPLEARNING4J)) {
      Properties properties = new Properties();
      if (stream != null) {
        properties.load(stream);
      }
      return properties.getProperty("version", UNKNOWN);
    } catch (IOException | IllegalArgumentException e) {
      return UNKNOWN;
    }
  }

  private static String version(Class<?> member) {
    String version = member.getPackage().getImplementationVersion();
    return version == null ? UNKNOWN : version;
  }
}
