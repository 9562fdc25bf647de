"""The plant of Van Henten 1994 once more: one plant, plain numbers, the literature's constants. A yardstick."""

from math import exp

CONSTANTS = {
    "c_a": 0.68, "c_b": 0.8, "c_gr": 5e-6, "c_gam": 1.0, "q_gr": 1.6, "c_sht": 3.47e-7, "c_rt": 1.16e-7, "q_resp": 2.0,
    "c_tau": 0.07, "c_K": 0.9, "c_lar": 75e-3, "c_eps": 17e-6, "c_G": 40.0, "q_G": 2.0, "c_w": 1.83e-3,
    "g_bnd": 0.007, "g_stm": 0.005, "c1": -1.32e-5, "c2": 5.94e-4, "c3": -2.64e-3,
}  # fmt: skip


def change(x_n, x_s, temperature, par, co2, **constants):
    """(dx_n, dx_s) in g m-2 s-1 at a density of 1 plant m-2."""
    c = {**CONSTANTS, **constants}
    gamma = c["c_G"] * c["q_G"] ** ((temperature - 20) / 10)
    eps = c["c_eps"] * (co2 - gamma) / (co2 + 2 * gamma)
    g_car = c["c1"] * temperature**2 + c["c2"] * temperature + c["c3"]
    g = 1 / (1 / c["g_bnd"] + 1 / c["g_stm"] + 1 / g_car)
    supply = g * c["c_w"] * (co2 - gamma)
    f_max = eps * par * supply / (eps * par + supply)
    lai = c["c_lar"] * (1 - c["c_tau"]) * x_s
    f_phot = (1 - exp(-c["c_K"] * lai)) * f_max
    r_gr = c["c_gr"] * x_n / (c["c_gam"] * x_s + x_n) * c["q_gr"] ** ((temperature - 20) / 10)
    f_resp = (c["c_sht"] * (1 - c["c_tau"]) + c["c_rt"] * c["c_tau"]) * x_s * c["q_resp"] ** ((temperature - 25) / 10)
    dx_s = r_gr * x_s
    return c["c_a"] * f_phot - dx_s - f_resp - (1 - c["c_b"]) / c["c_b"] * dx_s, dx_s
