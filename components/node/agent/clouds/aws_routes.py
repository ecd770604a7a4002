"""Routes to nodes' pods, in the VPC's own tables."""

from typing import Any

from components.node.agent.cloud import CloudError

Tables = list[dict[str, Any]]


class PodRoutes:
    """The route tables with these tags. `ec2` is boto3's client."""

    def __init__(self, ec2: Any, tags: dict[str, str]) -> None:
        self._ec2 = ec2
        self._wanted = filters({f"tag:{key}": value for key, value in tags.items()})

    def send(self, cidr: str, interface: str) -> None:
        """Send `cidr` to a network interface, in every table."""
        # EC2 drops what neither comes from a machine's own address nor goes to it, until told not to.
        self._ec2.modify_network_interface_attribute(NetworkInterfaceId=interface, SourceDestCheck={"Value": False})
        for table in self._tables():
            present = routes_of(table).get(cidr)
            where = {"RouteTableId": table["RouteTableId"], "DestinationCidrBlock": cidr}
            if present is None:
                self._ec2.create_route(**where, NetworkInterfaceId=interface)
            elif present != interface:
                self._ec2.replace_route(**where, NetworkInterfaceId=interface)

    def listed(self) -> dict[str, str]:
        """CIDR → address of the machine that gets it. Of an interface that is gone nothing is said."""
        found = {cidr: interface for table in self._tables() for cidr, interface in routes_of(table).items()}
        addresses = self._addresses(set(found.values()))
        return {cidr: addresses[interface] for cidr, interface in found.items() if interface in addresses}

    def drop(self, cidr: str, via: str) -> None:
        """Send `cidr` nowhere where it goes to the machine with the address `via`, or to one that is gone."""
        for table in self._tables():
            interface = routes_of(table).get(cidr)
            if interface and self._addresses({interface}).get(interface, via) == via:
                self._ec2.delete_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock=cidr)

    def interface_of(self, address: str) -> str:
        """The network interface that has an address.

        Raises:
            CloudError: none has it.
        """
        found = self._interfaces({"addresses.private-ip-address": [address]})
        if not found:
            raise CloudError(f"no network interface has the address {address}")
        return str(found[0]["NetworkInterfaceId"])

    def _addresses(self, interfaces: set[str]) -> dict[str, str]:
        found = self._interfaces({"network-interface-id": sorted(interfaces)}) if interfaces else []
        return {interface["NetworkInterfaceId"]: node_address(interface) for interface in found}

    def _interfaces(self, wanted: dict[str, list[str]]) -> list[Any]:
        narrowed = [{"Name": name, "Values": values} for name, values in wanted.items()]
        return list(self._ec2.describe_network_interfaces(Filters=narrowed)["NetworkInterfaces"])

    def _tables(self) -> Tables:
        return list(self._ec2.describe_route_tables(Filters=self._wanted)["RouteTables"])


def routes_of(table: dict[str, Any]) -> dict[str, str]:
    """CIDR → network interface, of the routes that lead to one."""
    return {
        route["DestinationCidrBlock"]: route["NetworkInterfaceId"]
        for route in table["Routes"]
        if route.get("NetworkInterfaceId") and route.get("DestinationCidrBlock")
    }


def node_address(interface: dict[str, Any]) -> str:
    """The address that a machine's Node has: a member's reserved one, which is not the first that EC2 gave it."""
    addresses = interface["PrivateIpAddresses"]
    reserved = next((entry for entry in addresses if not entry["Primary"]), addresses[0])
    return str(reserved["PrivateIpAddress"])


def filters(wanted: dict[str, str]) -> list[dict[str, Any]]:
    """What EC2's lists are narrowed by."""
    return [{"Name": name, "Values": [value]} for name, value in wanted.items()]
