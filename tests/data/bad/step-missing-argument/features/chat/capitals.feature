Feature: Capitals
  Scenario: It knows France
    When I ask:
    Then the reply mentions one of:
