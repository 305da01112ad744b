// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lets `reboot "0 tryboot"` reach the firmware of a Raspberry Pi: the kernel of Raspberry Pi sets
 * the flag of the next boot itself, mainline and with it Debian's does not. Where the argument of
 * an ordered reboot ends in the word "tryboot", the firmware is told by a property of its mailbox
 * before anything is shut down. The firmware forgets the flag with the boot that it is meant for.
 *
 * Tag and value: Raspberry Pi's kernel, include/soc/bcm2835/raspberrypi-firmware.h,
 * RPI_FIRMWARE_SET_REBOOT_FLAGS, bit 0; argument: Raspberry Pi documentation, "tryboot".
 */
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/of.h>
#include <linux/reboot.h>
#include <linux/string.h>
#include <soc/bcm2835/raspberrypi-firmware.h>

#define SET_REBOOT_FLAGS 0x00038064
#define TRYBOOT BIT(0)

static struct rpi_firmware *firmware;

static int before_reboot(struct notifier_block *block, unsigned long action, void *argument)
{
	u32 flags = TRYBOOT;
	int error;

	if (action != SYS_RESTART || !argument || !strstr(argument, " tryboot"))
		return NOTIFY_DONE;
	error = rpi_firmware_property(firmware, SET_REBOOT_FLAGS, &flags, sizeof(flags));
	if (error)
		pr_err("edgenode_tryboot: the firmware refused: %d; the same system boots again\n", error);
	else
		pr_info("edgenode_tryboot: the next boot is a try\n");
	return NOTIFY_DONE;
}

static struct notifier_block block = { .notifier_call = before_reboot };

static int __init begin(void)
{
	struct device_node *node;
	int error;

	node = of_find_compatible_node(NULL, NULL, "raspberrypi,bcm2835-firmware");
	if (!node)
		return -ENODEV; /* not a Raspberry Pi */
	firmware = rpi_firmware_get(node);
	of_node_put(node);
	if (!firmware)
		return -EPROBE_DEFER;
	error = register_reboot_notifier(&block);
	if (error)
		rpi_firmware_put(firmware);
	return error;
}

static void __exit end(void)
{
	unregister_reboot_notifier(&block);
	rpi_firmware_put(firmware);
}

module_init(begin);
module_exit(end);
MODULE_DESCRIPTION("Pass the tryboot flag of a reboot on to the firmware of a Raspberry Pi");
MODULE_LICENSE("GPL");
