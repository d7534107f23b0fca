// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.gram;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.List;
import java.util.Optional;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;

/**
 * The LAPACK in the OpenBLAS that ND4J's CPU backend loads, looked up at run time, so that this
 * module depends on nd4j-api only; on another backend it is absent.
 */
final class OpenBlas {
  private static final int COLUMN_MAJOR = 102;

  /** From driver/others/dynamic.c and dynamic_arm64.c of OpenBLAS 0.3.28. */
  private static final List<String> KERNELS =
      List.of(
          ("KATMAI COPPERMINE NORTHWOOD PRESCOTT BANIAS ATOM CORE2 PENRYN DUNNINGTON NEHALEM ATHLON"
                  + " OPTERON OPTERON_SSE3 BARCELONA NANO SANDYBRIDGE BOBCAT BULLDOZER PILEDRIVER"
                  + " STEAMROLLER EXCAVATOR HASWELL ZEN SKYLAKEX COOPERLAKE SAPPHIRERAPIDS ARMV8"
                  + " CORTEXA53 CORTEXA55 CORTEXA57 CORTEXA72 CORTEXA73 FALKOR THUNDERX"
                  + " THUNDERX2T99 THUNDERX3T110 TSV110 EMAG8180 NEOVERSEN1 NEOVERSEV1 NEOVERSEN2"
                  + " ARMV8SVE A64FX")
              .split(" "));

  private static final Class<?> LIBRARY = find();
  private static final MethodHandle DSYEVD =
      handle(
          "LAPACKE_dsyevd",
          byte.class,
          byte.class,
          int.class,
          double[].class,
          int.class,
          double[].class);
  private static final MethodHandle DSYTRD =
      handle(
          "LAPACKE_dsytrd",
          byte.class,
          int.class,
          double[].class,
          int.class,
          double[].class,
          double[].class,
          double[].class);
  private static final MethodHandle DSTEDC =
      handle(
          "LAPACKE_dstedc",
          byte.class,
          int.class,
          double[].class,
          double[].class,
          double[].class,
          int.class);

  private OpenBlas() {}

  static boolean hasLapack() {
    return DSYEVD != null && DSYTRD != null && DSTEDC != null;
  }

  /** The version of the class, which comes in one release with the library. */
  static Optional<String> version() {
    if (LIBRARY == null) {
      return Optional.empty();
    }
    try {
      return Optional.of(LIBRARY.getField("OPENBLAS_VERSION").get(null).toString().strip());
    } catch (ReflectiveOperationException e) {
      return Optional.empty();
    }
  }

  /**
   * The processor whose kernels are used. JavaCPP has no binding of {@code openblas_get_corename},
   * so that this does what that does: it looks which table of kernels the library points to.
   */
  static Optional<String> kernel() {
    if (LIBRARY == null) {
      return Optional.empty();
    }
    Pointer chosen = Loader.addressof("gotoblas");
    if (chosen == null || chosen.isNull()) {
      return Optional.empty();
    }
    long table = new LongPointer(chosen).get(0);
    return KERNELS.stream().filter(name -> isAt("gotoblas_" + name, table)).findFirst();
  }

  private static boolean isAt(String symbol, long address) {
    Pointer found = Loader.addressof(symbol);
    return found != null && found.address() == address;
  }

  static double[] dsyevd(double[] a, int m, boolean vectors) {
    double[] eigenvalues = new double[m];
    byte job = (byte) (vectors ? 'V' : 'N');
    try {
      requireSuccess(
          "dsyevd", (int) DSYEVD.invokeExact(COLUMN_MAJOR, job, (byte) 'L', m, a, m, eigenvalues));
    } catch (Throwable e) {
      throw rethrown("dsyevd", e);
    }
    return eigenvalues;
  }

  /** Reduces a to tridiagonal form; what becomes of a tells the reflectors, see LAPACK. */
  static void dsytrd(double[] a, int m, double[] diagonal, double[] offDiagonal, double[] tau) {
    try {
      requireSuccess(
          "dsytrd",
          (int) DSYTRD.invokeExact(COLUMN_MAJOR, (byte) 'L', m, a, m, diagonal, offDiagonal, tau));
    } catch (Throwable e) {
      throw rethrown("dsytrd", e);
    }
  }

  /** Decomposes a tridiagonal matrix; the eigenvalues replace its diagonal. */
  static void dstedc(double[] diagonal, double[] offDiagonal, double[] vectors) {
    int m = diagonal.length;
    byte job = (byte) (vectors == null ? 'N' : 'I');
    double[] z = vectors == null ? new double[1] : vectors;
    try {
      requireSuccess(
          "dstedc", (int) DSTEDC.invokeExact(COLUMN_MAJOR, job, m, diagonal, offDiagonal, z, m));
    } catch (Throwable e) {
      throw rethrown("dstedc", e);
    }
  }

  static void requireSuccess(String routine, int info) {
    if (info != 0) {
      throw new IllegalStateException(
          "LAPACK " + routine + " did not converge (info " + info + "); check the Gram matrix");
    }
  }

  private static RuntimeException rethrown(String routine, Throwable e) {
    if (e instanceof RuntimeException failure) {
      throw failure;
    }
    if (e instanceof Error error) {
      throw error;
    }
    return new IllegalStateException("LAPACK " + routine + " could not be called", e);
  }

  private static Class<?> find() {
    try {
      return Class.forName("org.bytedeco.openblas.global.openblas");
    } catch (ReflectiveOperationException | LinkageError e) {
      return null;
    }
  }

  private static MethodHandle handle(String name, Class<?>... parameters) {
    if (LIBRARY == null) {
      return null;
    }
    try {
      MethodType type =
          MethodType.methodType(int.class, parameters).insertParameterTypes(0, int.class);
      return MethodHandles.publicLookup().findStatic(LIBRARY, name, type);
    } catch (ReflectiveOperationException | LinkageError e) {
      return null;
    }
  }
}
