// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.record;

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

  /**
   * That of this process.
   *
   * @return the versions the jars name in their manifests, {@code "unknown"} where they do not
   */
  public static Provenance current() {
    return new Provenance(
        version(Provenance.class),
        version(Model.class),
        System.getProperty("java.vm.vendor") + " " + System.getProperty("java.vm.version"),
        System.getProperty("os.name")
            + " "
            + System.getProperty("os.version")
            + " "
            + System.getProperty("os.arch"),
        Runtime.getRuntime().availableProcessors());
  }

  private static String version(Class<?> member) {
    String version = member.getPackage().getImplementationVersion();
    return version == null ? UNKNOWN : version;
  }
}
