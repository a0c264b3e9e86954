Feature: Menu
  Scenario: The café is open
    When I ask "Is it open?"
    Then the reply mentions "yes"
