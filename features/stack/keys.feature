@chat @auth @serial
Feature: Keys
  Clients have the router's key, the router has a key for each server behind it. None of them opens another door.

  Scenario: The router's key opens the router
    When I ask "What is the capital of Germany?"
    Then the request succeeds

  Scenario Outline: The key of the service <service> opens that service
    Given requests go to the service "<service>"
    When I ask "What is the capital of Germany?"
    Then the request succeeds
    And the reply mentions "Berlin"
    Examples:
      | service |
      | backend |
      | second  |

  Scenario Outline: The key of the service <service> does not open the router, <delivery>
    Given the API key of the service "<service>"
    And replies are <delivery>
    When I note what the services have done
    And I ask "What is the capital of Germany?"
    Then the request is refused
    And the response is not a stream
    And the error has a message
    And the service "<service>" did nothing
    Examples:
      | service |
      | backend |
      | second  |

  Scenario: The key of a backend is refused at the router as a wrong key is
    Given the API key of the service "backend"
    When I ask "What is the capital of Germany?"
    Then the status is one of 401, 403

  Scenario Outline: The router's key does not open the service <service>
    Given requests go to the service "<service>"
    And the API key of the stack
    When I ask "What is the capital of Germany?"
    Then the status is 401
    And the error has a message
    Examples:
      | service |
      | backend |
      | second  |

  Scenario: The key of one backend does not open the other
    Given requests go to the service "second"
    And the API key of the service "backend"
    When I ask "What is the capital of Germany?"
    Then the status is 401

  Scenario Outline: Without a key the service <service> tells and answers nothing
    Given requests go to the service "<service>"
    And no API key is sent
    When I ask "What is the capital of Germany?"
    Then the status is 401
    When I list the models
    Then the status is 401
    Examples:
      | service |
      | backend |
      | second  |
